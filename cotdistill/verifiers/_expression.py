r"""Finds the expression in a statement, and tells numbers, words and clock times from what needs an algebra system.

`the answer is $\frac{\pi}{2}$.`  ->  `\frac{\pi}{2}`        `So x = 2 or x = -3.`  ->  `x = 2, x = -3`
"""

import re
from itertools import groupby
from typing import NamedTuple

from cotdistill.numbers.digits import DecimalMark
from cotdistill.numbers.notation import LATEX_WORDS, plain
from cotdistill.numbers.reading import Number, number_spots, read_number, word_spots
from cotdistill.verifiers._extract import Statement, statements

_SPAN = re.compile(
    r"\$\$(.{1,300}?)\$\$|(?<!\\)\$(?!\s)([^$\n]{1,300}?)(?<![\s\\])\$(?!\d)|\\\((.{1,300}?)\\\)|\\\[(.{1,300}?)\\\]",
    re.DOTALL,
)
_BETWEEN = re.compile(r"[\s,;*]*(?:and|or|und|oder|y|o|et|ou|和|或)?[\s,;*]*")
_OR = re.compile(r"\\(?:text|mbox|quad|textrm)?\s?\{?\s?(?:and|or)\s?\}?(?![a-z])|(?<=[\s\d}])(?:and|or)(?=[\s\\-])")
COMMAND = re.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mbox|operatorname)\s?\{[^{}]*\}|\\(?:begin|end)\{[a-z*]{1,12}\}(?:\{[lcr|]*\})?|"
    r"\\[a-zA-Z]+|(?<![a-zA-Z])(?:sqrt|sin|cos|tan|cot|sec|csc|log|ln|exp|pi|infinity|inf|oo|cup|max|min|mod)(?![a-z])"
)
_WORD = re.compile(r"(?<![}\w])[^\W\d_]{2,}")
_SUBSTANCE = re.compile(r"\d|\\[a-zA-Z]|[a-zA-Z]\s?[-+*/^=(<>]|[-+*/^=(<>]\s?[a-zA-Z]|^[b-zB-HJ-Z]$")
_LEADING = ' \t\n,;:*`"$。，।'
_EDGES = _LEADING + "."
"""A point in front belongs to the number: `.5`."""
_LISTS = re.compile(r",(?!\d{3}(?!\d)|\d{2},\d|\\!)")
"""A comma that groups no digits."""
_NAMED = re.compile(r"\s*[a-z](?:_\{?\w\}?)?(?:\([a-z]\))?\s*=\s*")
_BEFORE = re.compile(r"[\s$€£¥₹+*-]*")
_AFTER = re.compile(
    r"[\s%$€£¥₹*]*(?:(?:[^\W\d_]{3,20}|"
    r"(?<=[\s/])[mgshl]|cm|mm|km|kg|mg|ml|ft|in|mi|lb|oz|hr|yd|pm|am|[^\x00-\x7f]{1,2})"
    r"(?:\^ ?\{?[23]\}?|[²³])?[\s/.*]*){0,4}"
)
_NO_UNIT = re.compile(r"(?<![a-z])(?:pi|sqrt|sin|cos|tan|log|ln|exp|or|and|mod|base)(?![a-z])")
_DEGREES = re.compile(r"\^\s?\{?\\circ\}?|\\boxed|\\left|\\right|\^ ?\{?[23]\}?(?=\W*$)")
_SPACING = re.compile(r"\\(?:left|right|displaystyle|[!,;: ])|(?<!\d)\s+|\s+(?!\d)|[$*]")
_FRACTION = re.compile(r"\\[dtc]frac")
CLOCK = re.compile(r"(?<![\d:])0*(\d{1,9}(?::\d{1,9}){1,3})(?![\d:])(?:\s?([ap])\.?\s?m\b\.?)?", re.IGNORECASE)
_LATEX_SIGNS = str.maketrans({
    "−": "-", "–": "-", "×": "\\times ", "·": "\\cdot ", "÷": "/", "π": "\\pi ", "∞": "\\infty ",
    "∪": "\\cup ", "∩": "\\cap ",
    "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "±": "\\pm ", "∅": "\\emptyset ", "°": "", "θ": "\\theta ", "∈": "\\in ",
    **{raised: f"^{{{digit}}}" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
})  # fmt: skip
_ROOT = re.compile(r"√\s?(?:\(([^()]*)\)|(\d+|\w))")
_LONGEST_GOLD = 20_000


class Found(NamedTuple):
    """An expression that a statement states."""

    text: str
    kind: str
    """The statement's."""
    is_whole: bool = False
    """All that the statement says."""


def found_expression(answer: str) -> Found | None:
    """Return the expression that the answer states as final, a list for several boxes in a row; None for none."""
    stated = statements(answer)
    for statement in stated:
        if found := expression_of(statement):
            texts = [found.text]
            while statement.is_joined and (statement := next(stated)) and (another := expression_of(statement)):
                texts.insert(0, another.text)
            return found._replace(text=", ".join(dict.fromkeys(texts)))
    return None


def gold_expression(gold: str) -> str:
    """Return the expression of a gold answer; of a whole solution, what its boxes hold."""
    found = found_expression(gold) if "\\boxed" in gold and len(gold) < _LONGEST_GOLD else None
    return found.text if found else stripped(gold)


def _trimmed(text: str) -> str:
    return text.rstrip(_EDGES).lstrip(_LEADING)


def stripped(text: str) -> str:
    r"""Return an expression without `$`, `\boxed{…}` and a final stop around it."""
    text = _trimmed(text.rpartition("####")[2])
    if (span := _SPAN.fullmatch(text)) is not None:
        text = _trimmed(span[span.lastindex or 0])
    if text.startswith("\\boxed{") and text.endswith("}"):
        text = _trimmed(text[len("\\boxed{") : -1])
    return _trimmed(text.removeprefix("\\(").removesuffix("\\)"))


def expression_of(statement: Statement) -> Found | None:
    """Return the expression that a statement states; None where it has none."""
    text = statement.text
    if statement.kind == "boxed":
        inner = stripped(text)
        return Found(_listed(inner), statement.kind, True) if inner else None
    if groups := _groups(text):
        is_whole = len(groups) == 1 and not _SPAN.sub("", text).strip(_EDGES)
        return Found(_listed(groups[0] if statement.is_declared else groups[-1]), statement.kind, is_whole)
    listed = _listed(_trimmed(text.rstrip(_EDGES + "!" * statement.is_declared)))
    if not _WORD.search(COMMAND.sub(" ", listed)):
        return Found(listed, statement.kind, True) if _SUBSTANCE.search(listed) else None
    runs = _runs(listed)
    return Found(runs[0] if statement.is_declared else runs[-1], statement.kind) if runs else None


def _groups(text: str) -> list[str]:
    """Return the spans that are set as mathematics; `$2$, $3$ and $5$` is one."""
    groups: list[str] = []
    end = -1
    for span in _SPAN.finditer(text):
        if inner := _trimmed(span[span.lastindex or 0]):
            before = groups.pop() + ", " if groups and _BETWEEN.fullmatch(text, end, span.start()) else ""
            groups.append(before + inner)
            end = span.end()
    return [stripped(group) for group in groups]


def _listed(text: str) -> str:
    """Return `2, 3` for `2 or 3`."""
    return re.sub(r"\s*,(?:\s*,)*\s*", ", ", _OR.sub(",", text)) if "or" in text or "and" in text else text


def _runs(text: str) -> list[str]:
    """Return the longest pieces of a sentence that hold no words."""
    parts = groupby(text.split(), lambda token: bool(_WORD.search(COMMAND.sub(" ", token))))
    runs = (_trimmed(" ".join(run)) for is_words, run in parts if not is_words)
    return [run for run in runs if _SUBSTANCE.search(run)]


def without_words(text: str) -> str:
    r"""Return an expression without its words and units: `\text{…}`, words of two letters and more, degrees."""
    return _DEGREES.sub("", _WORD.sub("", LATEX_WORDS.sub("", text)))


def lone_number(text: str, mark: DecimalMark = ".") -> Number | None:
    """Return the number where the text is nothing else: `x = 5`, `\\$21{,}600`, `90^\\circ`, `3 hours`."""
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return Number(text, int(text))
    text = _trimmed(plain(stripped(text)))
    if name := _NAMED.match(text):
        text = text[name.end() :]
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1].strip()
    spots = number_spots(text, mark) or word_spots(text)
    if len(spots) != 1 or _LISTS.search(spots[0][0]):
        return None
    number = read_number(spots[0], mark)
    at = text.find(number.text, max(0, spots[0].start() - 14))
    after = text[at + len(number.text) :]
    if number.value is None or not _BEFORE.fullmatch(text[: max(at, 0)]):
        return None
    return number if _AFTER.fullmatch(after) and not _NO_UNIT.search(after) else None


def tidy(text: str) -> str:
    r"""Return an expression without what never changes its value: spaces, `\left`, `\text{…}`, `\dfrac` for `\frac`."""
    text = LATEX_WORDS.sub(r"\1", _FRACTION.sub(r"\\frac", stripped(text)))
    for sign, usual in (("\\%", "%"), ("\\$", ""), ("{,}", ","), ("^\\circ", ""), ("^{\\circ}", ""), ("\u2212", "-")):
        text = text.replace(sign, usual)
    return _SPACING.sub("", text)


def bare(text: str) -> str:
    r"""Return an expression or words without what is around them, and without `\text{…}`."""
    return LATEX_WORDS.sub(r"\1", stripped(text)).strip()


def clocks_in(text: str) -> list[tuple[str, set[str]]]:
    """Return the clock times and ratios of a text, in order: as they stand, and what each may mean.

    `7:30` means itself, in the morning or in the evening; `7:30 pm` the evening, which `19:30` is too.
    """
    found = []
    for clock, half in CLOCK.findall(LATEX_WORDS.sub(r"\1", text)):
        hours, _, rest = clock.partition(":")
        of_the_day = f"{int(hours) % 12 + 12 * (half in ('p', 'P'))}:{rest}"
        found.append((clock, {clock + half.lower(), of_the_day} if half else {clock, clock + "a", clock + "p"}))
    return found


def latex_of(text: str) -> str:
    """Return an expression with LaTeX for the signs of plain text: `2√3` is `2\\sqrt{3}`."""
    if text.isascii():
        return text
    return _ROOT.sub(lambda root: f"\\sqrt{{{root[1] or root[2]}}}", text).translate(_LATEX_SIGNS)


def right_side(text: str) -> str:
    """Return what follows the last equals sign; the text itself where there is none or a list has several."""
    *left, right = re.split(r"(?<![<>!\\])=", text)
    return _trimmed(right) if left and (right == text or not _LISTS.search(text)) else text
