r"""Rewrites a short text into plain notation: ASCII digits, no LaTeX, one minus, one kind of thin space.

`\$21{,}600`  ->  `$21,600`        `\frac{1}{2}`  ->  ` 1/2`        `１８`, `১৮`, `१८`  ->  `18`
"""

import re
import unicodedata

THIN_SPACE = "\u202f"
"""Stands for every space that only groups digits."""

_SCRIPTS = "٠۰०০੦૦౦೦൦๐０"
"""The zeros of the scripts whose digits are read: Arabic, Persian, Devanagari, Bengali, … Thai, full width."""

_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"

_CHARACTERS = str.maketrans(
    {chr(ord(zero) + digit): str(digit) for zero in _SCRIPTS for digit in range(10)}
    | {f: f" {unicodedata.normalize('NFKC', f).replace('⁄', '/')}" for f in _FRACTIONS}
    | dict.fromkeys("\u2212\u2010\u2011\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2009\u2007\u2008", THIN_SPACE)
    | dict.fromkeys("✕✖", "×")
    | {
        "，": ",",
        "．": ".",
        "％": "%",
        "٪": "%",
        "＄": "$",
        "￥": "¥",
        "’": "'",
        "＝": "=",
        "：": ":",
        "（": "(",
        "）": ")",
    }
    | {"⁄": "/", "∕": "/", "／": "/", "°": " ", "٫": ".", "٬": THIN_SPACE, "\u200b": "", "\ufeff": ""}
)

_HAN_PERCENT = re.compile(r"百分之(\d[\d.]*)")
_SHORT_SCALE = re.compile(r"(?<![\w.,])(\d[\d.,]{0,24})([KMBT])(?![A-Za-z0-9])")
_SCALE_WORDS = {"K": "thousand", "M": "million", "B": "billion", "T": "trillion"}
"""Capitals that touch a number: `$3.2M`; a small letter is a unit or a variable."""

_EXPONENT = re.compile("(?<=10)[⁻⁺]?[⁰¹²³⁴-⁹]{1,3}")
_LOWERED = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")

LATEX_WORDS = re.compile(
    r"\\(?:text[a-z]{0,6}|math(?:rm|bf|it|sf|tt|normal)|boldsymbol|mbox|operatorname)\s{0,3}\{([^{}]*)\}"
)
_BRACED = re.compile(r"(?<=\d)\s?\{\s?([,.])\s?\}\s?(?=\d)")
_LATEX_FRACTION = re.compile(
    r"(\d ?)?\\[dtc]?frac\s{0,3}(?:\{\s{0,3}([-+]?\d{1,20})\s{0,3}\}|(\d))\s{0,3}(?:\{\s{0,3}(\d{1,20})\s{0,3}\}|(\d))"
)
_LATEX_SIGNS = {
    "\\! ": "", "\\!": "", "\\$": "$", "\\%": "%", "\\times": "×", "\\cdot": "×", "\\div": "÷",
    "\\approx": "≈", "\\,": THIN_SPACE, "\\;": " ", "\\:": " ", "\\ ": " ", "\\(": " ", "\\)": " ", "\\[": " ",
    "\\]": " ", "^\\circ": " ", "^{\\circ}": " ", "\\left": "", "\\right": "", "\\displaystyle": "", "~": " ",
    "\\\n": "\n",
}  # fmt: skip


def plain(text: str) -> str:
    """Return the text in plain notation, lower case."""
    if not text.isascii():
        text = _EXPONENT.sub(lambda raised: "^" + raised[0].translate(_LOWERED), text.translate(_CHARACTERS))
        text = _HAN_PERCENT.sub(r"\1%", text)
    if "\\" in text or "{" in text:
        text = _without_latex(text)
    return _SHORT_SCALE.sub(_scale_word, text).lower()


def _scale_word(match: re.Match[str]) -> str:
    return f"{match[1]} {_SCALE_WORDS[match[2]]}"


def _without_latex(text: str) -> str:
    for sign, replacement in _LATEX_SIGNS.items():
        if sign in text:
            text = text.replace(sign, replacement)
    text = LATEX_WORDS.sub(r"\1", _BRACED.sub(r"\1", text))
    return _LATEX_FRACTION.sub(_slashed, text)


def _slashed(fraction: re.Match[str]) -> str:
    """Return `3 1/2` for `3\\frac{1}{2}`, `1/2` where no digit stands before it."""
    whole, top, short_top, bottom, short_bottom = fraction.groups()
    return f"{whole.strip() + ' ' if whole else ''}{top or short_top}/{bottom or short_bottom} "
