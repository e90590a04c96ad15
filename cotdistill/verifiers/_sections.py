"""Parts an answer into the solution itself and asides: practice questions, checks, examples.

A tutor's answer goes on after its result: "**Check:** 10 x 8 = 80", "If John had 6 friends, how many …? (Answer: 9)".
A cue at the start of a line or a sentence opens an aside; a heading, a step, praise or a conclusion closes it.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Literal

from cotdistill.verifiers._cues import CUES, CueKind

_START = re.compile(r"[\n.!?:…。！？][^\w\n]{0,12}+(?:\d{1,2}[.)][^\w\n]{1,8}+)?([^\W\d_][\w']*+)")
"""A line or a sentence starts, after markup, emoji and a list number, with this word."""

_OPENS: dict[str, set[str]] = {
    "practice": {"final", "step", "next", "heading", "conclude", "praise"},
    "question": {"final", "step", "next", "heading", "conclude", "praise", "answer"},
    "check": {"final", "step", "next", "heading", "conclude", "praise", "answer"},
    "example": {"final", "step", "next", "heading", "conclude", "praise", "answer"},
}
"""What opens an aside, and what closes it. `Answer:` after a practice question is that question's own."""

_Rows = tuple[tuple[CueKind, ...], re.Pattern[str]]
"""Kinds, and a pattern that has one group for each of them."""


def _by_first_word() -> dict[str, _Rows]:
    """Return the cues by their first word or, for words of other scripts, by `_` and their first character."""
    rows: dict[str, list[tuple[CueKind, str]]] = defaultdict(list)
    for kind, first_words, rest in CUES:
        for word in first_words.split():
            rows[word if word.isascii() else "_" + word[0]].append((kind, f"({re.escape(word)}{rest})"))
    return {
        word: (tuple(kind for kind, _ in found), re.compile("|".join(pattern for _, pattern in found)))
        for word, found in rows.items()
    }


_ROWS = _by_first_word()
_OPENERS = {word for word, (kinds, _) in _ROWS.items() if not _OPENS.keys().isdisjoint(kinds)}


def cue_at(low: str, at: int, word: str) -> CueKind | None:
    """Return the kind of cue that starts here, with its first word given."""
    rows = _ROWS.get(word) or _ROWS.get("_" + word[0])
    match = rows and rows[1].match(low, at)
    return rows[0][match.lastindex - 1] if rows and match and match.lastindex else None


def solution_spans(low: str, start: int, end: int, *, asides: Collection[str] = tuple(_OPENS)) -> list[tuple[int, int]]:
    """Return the (start, end) of what is no aside of these kinds between two positions of lower-case text, in order.

    The text starts with a line break; at `start` no aside is open.
    """
    spans = []
    aside = ""
    opening = low.find("\n\n", 1, end)  # `Imagine …` in the first paragraph sets the scene
    for match in _START.finditer(low, start, end):
        word = match[1]
        if not aside and word not in _OPENERS and (word.isascii() or "_" + word[0] not in _OPENERS):
            continue
        at = match.start(1)
        kind: CueKind | Literal["heading"] | None = cue_at(low, at, word)
        if kind is None and aside and _is_heading(low, at):
            kind = "heading"
        if kind is not None and kind in asides:
            if kind == "example" and not 0 < opening < at:
                continue
            if not aside:
                spans.append((start, match.start() + 1))
            if not aside or kind == "practice":
                aside = kind
        elif aside and kind in _OPENS[aside] and _opens_line(low, match.start(), at, kind):
            start, aside = match.start(), ""
    if not aside:
        spans.append((start, end))
    return spans


def _is_heading(low: str, at: int) -> bool:
    """Return whether bold or `#` opens here with a word; a bold sum is no heading."""
    return (low[at - 1] == "*" or low[at - 2 : at] == "# ") and low[at].isalpha()


def _opens_line(low: str, start: int, at: int, kind: str) -> bool:
    """Return whether the cue opens a line; a conclusion or a next step must open a paragraph, for checks have them too.

    What stands in parentheses answers the question before it.
    """
    if low[start] != "\n" or low.find("(", start, at) > 0:
        return False
    if kind not in ("conclude", "next") or low.find("**", start, at) > 0:
        return True
    previous = low[low.rfind("\n", 0, start) + 1 : start]
    return not previous or previous.isspace()
