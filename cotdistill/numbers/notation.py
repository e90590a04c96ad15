r"""Rewrites a short text into plain notation: ASCII digits, no LaTeX, one minus, plain spaces.

`\$21{,}600`  ->  `$21,600`        `\frac{1}{2}`  ->  ` 1/2`        `１８`, `১৮`, `१८`  ->  `18`
"""

import re
import unicodedata

_RARE = re.compile("[⁻⁺]?[⁰¹²³⁴-⁹]{1,3}|[\u00a0\u2007-\u2009\u202f¼-¾⅐-⅞\uff01-\uff5e\uffe5]|[^\\D0-9]")
"""Powers, spaces, fractions, full width, digits of other scripts."""
_SIGNS = str.maketrans("−‐‑✕✖’⁄∕°٪٫٬", "---××'// %. ", "\u200b\ufeff")
_HAN_PERCENT = re.compile(r"百分之(\d[\d.]*)")
_SHORT_SCALE = re.compile(r"(?<![\w.,])(\d[\d.,]{0,24})([KMBT])(?![A-Za-z0-9])")
_SCALE_WORDS = {"K": "thousand", "M": "million", "B": "billion", "T": "trillion"}
"""Capitals that touch a number: `$3.2M`; a small letter is a unit or a variable."""
LATEX_WORDS = re.compile(
    r"\\(?:text[a-z]{0,6}|math(?:rm|bf|it|sf|tt|normal)|boldsymbol|mbox|operatorname)\s{0,3}\{([^{}]*)\}"
)
_BRACED = re.compile(r"(?<=\d)\s?\{\s?([,.])\s?\}\s?(?=\d)")
_LATEX_FRACTION = re.compile(
    r"(\d ?)?\\[dtc]?frac\s{0,3}(?:\{\s{0,3}([-+]?\d{1,20})\s{0,3}\}|(\d))\s{0,3}(?:\{\s{0,3}(\d{1,20})\s{0,3}\}|(\d))"
)
_LATEX_SIGNS = {
    "\\! ": "", "\\!": "", "\\$": "$", "\\%": "%", "\\times": "×", "\\cdot": "×", "\\div": "÷", "\\approx": "≈",
    "\\,": " ", "\\;": " ", "\\:": " ", "\\ ": " ", "\\(": " ", "\\)": " ", "\\[": " ", "\\]": " ", "^\\circ": " ",
    "^{\\circ}": " ", "\\left": "", "\\right": "", "\\displaystyle": "", "~": " ", "\\\n": "\n",
}  # fmt: skip


def plain(text: str) -> str:
    """Return the text in plain notation, lower case."""
    if not text.isascii():
        text = _HAN_PERCENT.sub(r"\1%", _RARE.sub(_usual, text).translate(_SIGNS))
    if "\\" in text or "{" in text:
        for sign, replacement in _LATEX_SIGNS.items():
            if sign in text:
                text = text.replace(sign, replacement)
        text = _LATEX_FRACTION.sub(_slashed, LATEX_WORDS.sub(r"\1", _BRACED.sub(r"\1", text)))
    return _SHORT_SCALE.sub(lambda match: f"{match[1]} {_SCALE_WORDS[match[2]]}", text).lower()


def _usual(rare: re.Match[str]) -> str:
    """Return the usual characters for rare ones: `^2` for `²`, ` 1/2` for `½`."""
    if rare[0].isdecimal():
        return str(unicodedata.decimal(rare[0]))
    usual = unicodedata.normalize("NFKC", rare[0])
    return " " + usual if "⁄" in usual else "^" + usual if rare[0][-1].isdigit() else usual


def _slashed(fraction: re.Match[str]) -> str:
    """Return `3 1/2` for `3\\frac{1}{2}`, `1/2` where no digit stands before it."""
    whole, top, short_top, bottom, short_bottom = fraction.groups()
    return f"{whole.strip() + ' ' if whole else ''}{top or short_top}/{bottom or short_bottom} "
