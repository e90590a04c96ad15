"""An answer's text with what is looked up in it often: lower case, asides, announcements, sentences.

A tutor's answer goes on after its result: "**Check:** 10 x 8 = 80", "If John had 6 friends, how many …? (Answer: 9)".
A cue of `cues.toml` at the start of a line or a sentence opens such an aside; a heading, a step, praise or a
conclusion closes it.
"""

import re
import sys
import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from cotdistill.numbers.words import WORD_NUMBER
from cotdistill.verifiers._languages import spoken

_START = re.compile(r"[\n.!?:…。！？][^\w\n]{0,12}+(?:\d{1,2}[.)][^\w\n]{1,8}+)?([^\W\d_][\w']*+)")
"""A line or a sentence starts, after markup, emoji and a list number, with this word."""
_CLOSES = {"final", "step", "next", "heading", "conclude", "praise"}
_OPENS = {"practice": _CLOSES, **dict.fromkeys(("question", "check", "example"), _CLOSES | {"answer"})}
"""What opens an aside, and what closes it. `Answer:` after a practice question is that question's own."""
_ASIDES = tuple(_OPENS)
_STEP_HEADINGS = ("\n**step ", "\n### step ", "\nstep ")


def _key(word: str) -> str:
    """Return what the rows of a word are found by: itself, or its first character where that is of another script."""
    return word if word.isascii() else word[0]


def _by_first_word() -> dict[str, tuple[tuple[str, ...], re.Pattern[str]]]:
    """Return kinds of cues and a pattern that has one group for each of them, by first word."""
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, first_words, rest in tomllib.loads(Path(__file__).with_name("cues.toml").read_text("utf-8"))["cues"]:
        for word in first_words.split():
            rows[_key(word)].append((kind, f"({re.escape(word)}{rest})"))
    return {
        word: (tuple(kind for kind, _ in found), re.compile("|".join(pattern for _, pattern in found)))
        for word, found in rows.items()
    }


_ROWS = _by_first_word()
_OPENERS = {word for word, (kinds, _) in _ROWS.items() if not _OPENS.keys().isdisjoint(kinds)}


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
        self._spans: dict[tuple[bool, Collection[str]], list[tuple[int, int]]] = {}

    @cached_property
    def last_step(self) -> int:
        """Where the last step starts; its heading closes every aside, so that what is before it need not be known."""
        return max(0, *(self.low.rfind(heading) for heading in _STEP_HEADINGS)) if "step " in self.low else 0

    def spans(self, *, is_last_step: bool, asides: Collection[str] = _ASIDES) -> list[tuple[int, int]]:
        """Return where no aside of these kinds is, in order: in the last step, or before it."""
        found = self._spans.get((is_last_step, asides))
        if found is None:
            start, end = (self.last_step, len(self.low)) if is_last_step else (0, self.last_step)
            found = self._spans[is_last_step, asides] = _solution_spans(self.low, start, end, asides)
        return found

    def spans_back(self) -> Iterator[tuple[int, int]]:
        """Yield where no aside is, from the end."""
        yield from reversed(self.spans(is_last_step=True))
        yield from reversed(self.spans(is_last_step=False))

    def span_end(self, at: int, asides: Collection[str] = _ASIDES) -> int:
        """Return where the solution span that holds a position ends; 0 where an aside holds it."""
        spans = self.spans(is_last_step=at >= self.last_step, asides=asides)
        index = bisect_right(spans, (at, sys.maxsize)) - 1
        return spans[index][1] if index >= 0 and at <= spans[index][1] else 0

    def own_end(self, at: int) -> int:
        """Return where the span that holds a position ends, checks and examples included; 0 in a practice question."""
        return self.span_end(at) or self.span_end(at, ("practice", "question"))

    def line_before(self, at: int) -> str:
        """Return the lower-case line before a position, the end of a long one."""
        return self.low[max(at - 120, self.low.rfind("\n", 0, at) + 1) : at]


def cue_at(low: str, at: int, word: str) -> str | None:
    """Return the kind of cue that starts here, with its first word given."""
    rows = _ROWS.get(_key(word))
    match = rows[1].match(low, at) if rows else None
    return rows[0][match.lastindex - 1] if rows and match and match.lastindex else None


def _solution_spans(low: str, start: int, end: int, asides: Collection[str]) -> list[tuple[int, int]]:
    """Return the (start, end) of what is no aside of these kinds between two positions of lower-case text, in order.

    The text starts with a line break; at `start` no aside is open.
    """
    spans = []
    aside = ""
    opening = low.find("\n\n", 1, end)  # `Imagine …` in the first paragraph sets the scene
    for match in _START.finditer(low, start, end):
        word = match[1]
        if not aside and word not in _OPENERS and (word.isascii() or word[0] not in _OPENERS):
            continue
        at = match.start(1)
        kind = cue_at(low, at, word) or ("heading" if _is_heading(low, at) else "")
        if kind in asides and (kind != "example" or 0 < opening < at):
            if not aside:
                spans.append((start, match.start() + 1))
            if not aside or kind == "practice":
                aside = kind
        elif aside and kind in _OPENS[aside] and _opens_line(low, match.start(), at, kind):
            start, aside = match.start(), ""
    return spans if aside else [*spans, (start, end)]


def _is_heading(low: str, at: int) -> bool:
    """Return whether bold or `#` opens here with a word; a bold sum is no heading."""
    return (low[at - 1] == "*" or low[at - 2 : at] == "# ") and low[at].isalpha()


def _opens_line(low: str, start: int, at: int, kind: str) -> bool:
    """Return whether the cue opens a line; a conclusion or a next step must open a paragraph, for checks have them too.

    What stands in parentheses answers the question before it.
    """
    if low[start] != "\n" or low.find("(", start, at) > 0:
        return False
    is_bold = kind not in ("conclude", "next") or low.find("**", start, at) > 0
    return is_bold or not low[low.rfind("\n", 0, start) + 1 : start].strip()


WINDOW = 300
"""Characters after an announcement in which its statement lies, and its correction if there is one."""
MOST = 20
"""Announcements that are looked at, from the last: answers have a few, garbage has thousands."""
DIGIT = re.compile(r"[\d½⅓⅔¼¾⅛⅜⅝⅞]")
_ITEM = r"[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]"
_LIST_ITEM = re.compile(_ITEM)
_LIST = re.compile(rf"(?:{_ITEM}[^\n]*\n?)+")
SENTENCE_END = re.compile(r"[.!?…。！？।](?:(?<=[。！？।])|[.!?…]{0,8}+(?:[\"'”’*_)$]|\\[\])])*(?=[\s*]))")
"""Begins with a set of characters, for which a text is searched far faster than for alternatives."""


def statement_end(page: Page, start: int, limit: int) -> int:
    """Return where the statement ends that starts here: its line, or its paragraph up to a line with a number."""
    text, limit = page.text, min(limit, start + WINDOW, len(page.text))
    paragraph = text.find("\n\n", limit - len(text[start:limit].lstrip()), limit)
    if paragraph > 0 and text[paragraph - 1] != ":":
        limit = paragraph
    digit = DIGIT.search(text, start, limit)
    at = digit.start() if digit else limit
    if "\n" in text[start:at] and (word := WORD_NUMBER.search(page.low, start, at)):
        at = word.start()
    line = max(start, text.rfind("\n", start, at) + 1)
    if text[line - 1] == "\n" and (items := _LIST.match(text, line, limit)):
        return items.end()
    end = text.find("\n", at, limit)
    end = limit if end < 0 else end
    sentences = sentences_of_line(text, line, end)
    bold = (one for one in sentences if is_bold(text, line, *one))
    return next(bold, sentences[0])[1] if sentences else end


def is_bold(text: str, line: int, start: int, end: int) -> bool:
    """Return whether a sentence of a line has a digit in bold; bold may have opened earlier in the line."""
    if "**" not in text[line:end]:
        return False
    outside = text.count("**", line, start) % 2 == 0
    return any(DIGIT.search(piece) for piece in text[start:end].split("**")[outside::2])


def sentences_of_line(text: str, start: int, end: int, number: re.Pattern[str] = DIGIT) -> list[tuple[int, int]]:
    """Return the (start, end) of the sentences of a line that hold a number, without a list's own."""
    item = _LIST_ITEM.match(text, start, end) if text[start - 1] == "\n" else None
    start = item.end() if item else start
    cuts = [start, *(match.end() for match in SENTENCE_END.finditer(text, start, end)), end]
    return [pair for pair in pairwise(cuts) if number.search(text, *pair)]
