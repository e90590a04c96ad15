"""Finds what announces an answer: boxes, hash marks, `Final Answer`, `Answer:`, `is the answer`, in each language."""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Literal, NamedTuple

from cotdistill.verifiers._languages import NOUNS, pattern
from cotdistill.verifiers._page import (
    MOST,
    SENTENCE_END,
    WINDOW,
    Page,
    sentences_of_line,
    statement_end,
)

DeclaredKind = Literal["boxed", "hash mark", "final answer", "answer"]


class Spot(NamedTuple):
    """Where a statement is."""

    start: int
    end: int
    is_heading: bool = False
    """A heading announces it that ends every aside, so that it is the solution's own wherever it is."""


def _braced(depth: int) -> str:
    """Return a pattern for text without a box whose braces close and nest no deeper than this."""
    nested = rf"\{{{_braced(depth - 1)}\}}|" if depth else ""
    return rf"(?:{nested}[^{{}}b]|b(?!oxed))*+"


_BOX = re.compile(rf"box(?:(?<=\\box)|(?<=\\fbox)|(?=ed ?\{{))(?:ed)? ?(?:\{{({_braced(7)})\}}|([-+]?[\d.,]*\d))")
_HASH = re.compile(r"####[ \t*:：]{0,8}(?=[^#\s])")
_FINAL = r"final (?:answer|result)[*_\s]{0,6}(?:[:：=→–—-]|@link@|\n)?[*_ \t:]{0,6}"
_LABEL = r"(?![a-z])\"?(?:[*_]{0,4}[ \t]{0,3}(?:@link@|[=:：–—→-])|[*_: \t]{0,8}(?=\n))[*_:：\" \t]{0,8}"
_SHORT_ANSWER = re.compile(r"\n[*_# ]{0,6}(?:a|ans)[*_]{0,3}[ \t]?[:.=：][*_ \t]{0,6}(?=[^\s*_])")
_IS_IT = re.compile(r"is (?:the|our|my) (?:right |correct |final )?answer")
ANNOUNCES = rf"boxed|####|\n(?:\*\*)?a(?:ns|:)|@answer@{_LABEL}|{_FINAL}"
"""Announces an answer, in whatever way."""
_MARKUP = " \t\n*_#>"
_LETTER = re.compile(r"\w")
_TURN = re.compile(r"[:;：；\n]|, (?:but|so|and|the|now)\b|\b(?:but|however|pero|aber|mais)\b|[，,](?:但|而|所以)")
_QUESTION = re.compile(r"[^.!\n。！।?？]{1,80}+[?？]")
RUN_ON = re.compile(
    r"\n[ \t]*(?:\n[# \t]{0,5})?(?:question|problem|q|human|user|input|instruction)[ \t]?\d{0,3}[ \t]?[:：]"
)
"""A text that was not stopped goes on with another question."""


def announcements(page: Page) -> Iterator[tuple[DeclaredKind, list[Spot]]]:
    """Yield what announces an answer, kind by kind, the most trustworthy first."""
    boxes = _boxes(page) if "box" in page.text else []
    finals = _following(page, pattern(_FINAL).finditer(page.low)) if "final" in page.low else []
    is_later = bool(boxes and finals) and finals[-1].start > boxes[-1].end  # boxes of the working before it
    if is_later:
        yield "final answer", finals
    yield "boxed", boxes
    yield "hash mark", _following(page, _HASH.finditer(page.low)) if "####" in page.text else []
    if not is_later:
        yield "final answer", finals
    yield "answer", _labelled(page)


def _boxes(page: Page) -> list[Spot]:
    r"""Return where the contents of `\boxed{…}` are."""
    found = (Spot(*match.span(match.lastindex or 0)) for match in _BOX.finditer(page.text))
    return [spot for spot in found if spot.end - spot.start <= WINDOW and page.own_end(spot.start)][-MOST:]


def _following(page: Page, marks: Iterable[re.Match[str]]) -> list[Spot]:
    """Return the statements that follow these announcements, the last ones of them."""
    found = []
    for mark in list(marks)[-MOST:]:
        start, end = mark.start() + (mark[0][0] == "\n"), mark.end()
        is_heading = mark[0].startswith("final") and not page.line_before(start).strip(_MARKUP)
        if limit := end + WINDOW if is_heading else _limit(page, start, end):
            found.append(Spot(end, statement_end(page, end, max(limit, end)), is_heading))
    return found


def _labelled(page: Page) -> list[Spot]:
    """Return what follows `answer:`; an answer in parentheses belongs to a question asked to the reader."""
    low, start = page.low, page.last_step  # an `Answer:` before a later step is that step's, not the problem's
    said = list(pattern("answer" + _LABEL, page.codes).finditer(low, start))
    if not said and any(noun in low for code in page.codes for noun in NOUNS[code] if noun != "answer"):
        said = list(pattern("@answer@" + _LABEL, page.codes).finditer(low, start))
    found = _following(page, said)
    short = _following(page, _SHORT_ANSWER.finditer(low, start))
    found += [spot for spot in short if _is_last(page, spot.end)]
    for match in list(_IS_IT.finditer(low))[-MOST:] if "answer" in low else ():
        sentences = sentences_of_line(page.text, low.rfind("\n", 0, match.start()) + 1, match.start())
        found += [Spot(*sentence) for sentence in sentences[-1:]]
    return sorted(set(found))


def _is_last(page: Page, end: int) -> bool:
    """Return whether only asides follow the line: an `A:` before that answers a question asked on the way."""
    line, run_on = page.text.find("\n", end), RUN_ON.search(page.low, end)
    stop = run_on.start() if run_on else len(page.low)
    after = takewhile(lambda span: span[1] > line, page.spans_back())
    return line < 0 or not any(_LETTER.search(page.low, max(start, line), min(last, stop)) for start, last in after)


def _limit(page: Page, start: int, end: int) -> int:
    """Return where a statement must end that is announced here; 0 where the announcement is not the solution's own.

    It is not in parentheses, in a question, in a practice question, or where it is what someone might think.
    """
    low = page.low
    if low[max(0, start - 8) : start].rstrip(" *_").endswith(("(", "[", "（")):
        return 0
    if _QUESTION.match(low, end) or pattern("@denies@", page.codes).search(low, start, end):
        return 0
    before = page.line_before(start)
    if before.strip(_MARKUP):
        *_, sentence = 0, *(match.end() for match in SENTENCE_END.finditer(before))
        *_, turn = sentence, *(match.end() for match in _TURN.finditer(before, sentence))
        if pattern("@supposed@", page.codes).search(before[sentence:], turn - sentence):
            return 0
    return page.own_end(start)
