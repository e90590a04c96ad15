"""An answer's text with what is looked up in it often: lower case, asides, announcements, sentences."""

import re
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise

from cotdistill.verifiers._languages import NOUNS, spoken
from cotdistill.verifiers._sections import solution_spans
from cotdistill.verifiers._words import WORD_NUMBER


class Page:
    """An answer's text, in lower case too; both start with a line break and have the same positions."""

    def __init__(self, text: str) -> None:
        low = text.lower()
        if len(low) != len(text):  # a few capitals grow: İ
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.text = text
        self.low = low.replace("’", "'")
        self.codes = spoken(self.low)
        """The languages that it may be in."""

    @cached_property
    def announced(self) -> list[int]:
        """Where words stand that announce an answer, at most the last ones."""
        words = (*ANNOUNCES, *(noun for code in self.codes for noun in NOUNS[code]))
        found: set[int] = set()
        for word in words:
            at = self.low.rfind(word)
            for _ in range(MOST):
                if at < 0:
                    break
                found.add(at)
                at = self.low.rfind(word, 0, at)
        return sorted(found)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where no aside is."""
        return solution_spans(self.low, 0, len(self.low))

    @cached_property
    def own_spans(self) -> list[tuple[int, int]]:
        """Where no practice question is: checks and examples are the solution's own."""
        return solution_spans(self.low, 0, len(self.low), asides=("practice", "question"))

    def span_end(self, at: int) -> int:
        """Return where the solution span that holds a position ends; 0 where an aside holds it."""
        return _end_of(self.spans, at)

    def own_end(self, at: int) -> int:
        """Return where the span that holds a position ends, checks and examples included; 0 in a practice question."""
        return _end_of(self.spans, at) or _end_of(self.own_spans, at)


def _end_of(spans: list[tuple[int, int]], at: int) -> int:
    index = bisect_right(spans, (at, spans[-1][1] + 1)) - 1 if spans else -1
    return spans[index][1] if index >= 0 and at <= spans[index][1] else 0


WINDOW = 300
"""Characters after an announcement in which its statement lies, and its correction if there is one."""

MOST = 20
"""Announcements that are looked at, from the last: answers have a few, garbage has thousands."""

ANNOUNCES = ("boxed", "####", "\na:", "\nans", "\n**a:")

DIGIT = re.compile(r"\d|[½⅓⅔¼¾⅛⅜⅝⅞]")

LIST_ITEM = re.compile(r"[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]")


def statement_end(page: Page, start: int, limit: int) -> int:
    """Return where the statement ends that starts here: its line, or the next lines up to one with a number."""
    limit = min(limit, start + WINDOW)
    end = line = start
    for _ in range(4):
        end = page.text.find("\n", line, limit)
        if end < 0 or DIGIT.search(page.text, line, end) or WORD_NUMBER.search(page.low, line, end):
            break
        line = end + 1
    end = limit if end < 0 else end
    if page.text[line - 1] == "\n" and LIST_ITEM.match(page.text, line, end):
        return _list_end(page.text, line, limit)
    sentences = sentences_of_line(page.text, line, end)
    bold = (one for one in sentences if is_bold(page.text, line, *one))
    return next(bold, sentences[0])[1] if sentences else end


def _list_end(text: str, line: int, limit: int) -> int:
    """Return where the list ends that starts with this line."""
    for _ in range(20):
        if not LIST_ITEM.match(text, line, limit):
            return line - 1
        line = text.find("\n", line, limit) + 1
        if not line:
            return limit
    return line - 1


def is_bold(text: str, line: int, start: int, end: int) -> bool:
    """Return whether a sentence of a line has a digit in bold; bold may have opened earlier in the line."""
    if "**" not in text[line:end]:
        return False
    outside = text.count("**", line, start) % 2 == 0
    return any(DIGIT.search(piece) for piece in text[start:end].split("**")[outside::2])


SENTENCE_END = re.compile(r"[.!?…]+(?:[\"'”’*_)$]|\\[\])])*(?=[\s*])|[。！？।]")


def sentences_of_line(text: str, start: int, end: int, number: re.Pattern[str] = DIGIT) -> list[tuple[int, int]]:
    """Return the (start, end) of the sentences of a line that hold a number, without a list's own."""
    item = LIST_ITEM.match(text, start, end) if text[start - 1] == "\n" else None
    start = item.end() if item else start
    cuts = [start, *(match.end() for match in SENTENCE_END.finditer(text, start, end)), end]
    return [pair for pair in pairwise(cuts) if number.search(text, *pair)]
