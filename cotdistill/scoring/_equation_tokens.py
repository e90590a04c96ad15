"""Cuts a line into the tokens that equations are made of: numbers, operators, brackets, units."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["number", "operator", "open", "close", "word", "variable", "break"]

OPERATORS = {"×": "*", "✕": "*", "·": "*", "⋅": "*", "∗": "*", "＊": "*", "÷": "/", "∕": "/", "⁄": "/", "／": "/"}
OPERATORS |= {"–": "-", "−": "-", "—": "-", "－": "-", "＋": "+", "plus": "+", "minus": "-", "times": "*"}
OPERATORS |= {"multiplied by": "*", "divided by": "/"}


class Token(NamedTuple):
    """A piece of a line."""

    kind: Kind
    text: str
    """A number without currency and percent sign, an operator as one of `+-*/^`."""
    is_percent: bool = False
    currency: str = ""
    is_glued: bool = False
    """Whether it follows the token before it without a space."""


def _rewrites(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), by) for pattern, by in pairs)


_LATEX = _rewrites(
    (r"\\[dtc]?frac ?\{([^{}]{1,60})\} ?\{([^{}]{1,60})\}", r"((\1)/(\2))"),
    (r"\\(?:times|cdot|ast)(?![a-zA-Z])", "×"),
    (r"\\div(?![a-zA-Z])", "÷"),
    (r"\\approx(?![a-zA-Z])", "≈"),
    (r"\\(?:text|textbf|mathrm|mathbf|boxed|fbox) ?\{([^{}]{0,80})\}", r" \1 "),
    (r"\\[,!]", ""),
    (r"\\(?:left|right|quad|[;: ])", " "),
    (r"\{,\}", ","),
    (r"\\([$%])", r"\1"),
    (r"\\[()\[\]]", " ; "),
)
_MARKDOWN = _rewrites(
    (r"\*{2,}|__+|`+", ""),
    # What is left of emphasis: a star that no operand stands before or behind.
    (r"(?<![\w)%\s])(\s{0,3})\*|\*(?=\s{0,3}(?:[^\w\s($.£€+\-−–]|$))", r"\1"),
)
_BULLET = re.compile(r"\s{0,9}[*•+-]\s")
_PERCENT = re.compile(r"(\d)\s?per ?cent\b")

_TOKEN = re.compile(
    r"(?P<number>(?P<currency>[$€£¥₹]\s?)?(?P<digits>\d+(?:[.,]\d+)*|(?<![\w.])\.\d+)(?P<percent>\s?[%％])?)"
    r"|(?P<break>[<>!≠≤≥=:]=|=>|=\s?=|-+>|[→⇒<>]|\.{2,})"
    r"|(?P<times>[xX](?=\s?[\d($.]))"
    r"|(?P<unit>/\s?[^\W\d_]{2,})"
    r"|(?P<verbal>(?:plus|minus|times|multiplied by|divided by)\b)"
    r"|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*[²³]?)"
    r"|(?P<operator>[-+*/^×✕·⋅∗＊÷∕⁄／–−—－＋])|(?P<square>[²³])"
    r"|(?P<open>[(\[（])|(?P<close>[)\]）])"
    r"|(?P<space>[\s$¢]+)|(?P<other>.)"
)  # fmt: skip

_WESTERN = re.compile(r"[A-Za-zµα-ωΑ-Ωа-яА-Я]")
_SCALES = re.compile(r"[百千万萬億亿兆]")
ARTICLES = frozenset({"a", "A", "I"})


def plain(line: str) -> str:
    """Return a line without LaTeX and Markdown, as far as equations are written in it."""
    bullet = _BULLET.match(line)
    line = line[bullet.end() :] if bullet else line
    for sign, rewrites in (("\\", _LATEX), ("*", _MARKDOWN), ("__", _MARKDOWN[:1]), ("`", _MARKDOWN[:1])):
        if sign in line:
            for pattern, by in rewrites:
                line = pattern.sub(by, line)
    return _PERCENT.sub(r"\1%", line) if "cent" in line else line


def tokens(line: str) -> Iterator[Token]:
    """Yield the tokens of a plain line."""
    is_glued = False
    for match in _TOKEN.finditer(line):
        if match.lastgroup == "space":
            if "¢" in match[0]:
                yield Token("word", "cents")
            is_glued = False
            continue
        yield _token(match, is_glued)
        is_glued = True


def _token(match: re.Match[str], glued: bool) -> Token:
    kind, text = match.lastgroup, match[0]
    if kind == "word":
        is_letter = len(text) == 1 and _WESTERN.match(text) and (glued or text not in ARTICLES)
        is_unsure = is_letter or (not text.isascii() and _SCALES.search(text))
        return Token("variable" if is_unsure else "word", text, False, "", glued)
    if kind == "number":
        digits, currency, percent = match.group("digits", "currency", "percent")
        if digits[0] == "0" and digits[1:2].isdecimal():
            return Token("variable", text, is_glued=glued)
        return Token("number", digits, percent is not None, currency.strip() if currency else "", glued)
    if kind in ("operator", "verbal"):
        return Token("operator", OPERATORS.get(text, text), False, "", glued)
    if kind == "times":
        return Token("operator", "*", is_glued=glued)
    if kind == "square":
        return Token("operator", text, is_glued=glued)
    if kind == "unit":
        return Token("word", text.lstrip("/ "), is_glued=True)
    if kind in ("open", "close"):
        return Token("open" if kind == "open" else "close", text, is_glued=glued)
    return Token("break", text, is_glued=glued)
