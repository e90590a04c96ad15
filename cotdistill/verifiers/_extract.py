"""Finds where an answer states its final result: statement kinds in order, never looking at the gold answer.

| order | kind | example |
|---|---|---|
| 1 | boxed | `\\boxed{72}` |
| 2 | hash mark | `#### 72` |
| 3 | final answer | `**Final Answer:** She sold **72** clips.` |
| 4 | answer | `Answer: 72`, `the answer is 72`, `72 is the right answer`, `答案是72` |
| 5 | concluding sentence, bold final, result | `So, she sold 72 clips.`, `She sold **72** clips.`, `48 + 24 = 72` |
| 6 | last sentence | `She sold 72 clips.` |

Kinds 1-4 declare an answer. Within a row of the table the last statement comes first. What follows a correction
("that's wrong", "scratch that") comes before what precedes it. Thinking, practice questions, checks, examples and
questions are no statements.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Literal, NamedTuple

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._cues import ANSWER, CORRECTION, LINK, any_of
from cotdistill.verifiers._sections import cue_at, solution_spans
from cotdistill.verifiers._words import WORD_NUMBER

StatementKind = Literal[
    "boxed", "hash mark", "final answer", "answer", "concluding sentence", "bold final", "result", "last sentence"
]


class Statement(NamedTuple):
    """A piece of the answer that states a result."""

    kind: StatementKind
    text: str
    is_declared: bool
    """Announced as the answer, not only the last thing said."""
    is_afresh: bool
    """Working lies between it and the statement of its kind before it, so that it may differ from that."""


@dataclass(frozen=True)
class _Page:
    """An answer's text, in lower case too; both start with a line break and have the same positions."""

    text: str

    @cached_property
    def low(self) -> str:
        low = self.text.lower()
        if len(low) != len(self.text):  # a few capitals grow: İ
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)
        return low.replace("’", "'")

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        return solution_spans(self.low, 0, len(self.low))

    def span_end(self, at: int) -> int:
        """Return where the solution span that holds a position ends; 0 where an aside holds it."""
        index = bisect_right(self.spans, (at, len(self.text) + 1)) - 1
        return self.spans[index][1] if index >= 0 and at <= self.spans[index][1] else 0


_CORRECTION = re.compile(r"[\n.!?:;,—–…}][^\w\n]{0,8}" + any_of(CORRECTION))
_WINDOW = 300
"""Characters after an announcement in which its statement lies, and its correction if there is one."""

_MOST = 20
"""Announcements that are looked at, from the last: answers have a few, garbage has thousands."""

_MOST_SENTENCES = 200
"""Sentences with a number that are looked at, from the last."""

_ANNOUNCES = ("answer", "boxed{", "####")


def statements(answer: str) -> Iterator[Statement]:
    """Yield what states the final answer, the most trustworthy first; nothing for an unclosed thought."""
    text = after_thinking(answer)
    if text is None or not text.strip():
        return
    page = _Page("\n" + text.replace("\r\n", "\n"))
    announced = max(page.low.rfind(word) for word in _ANNOUNCES)
    if announced > 0 and (correction := _CORRECTION.search(page.low, announced, announced + _WINDOW)):
        yield from _statements_of(_Page("\n" + page.text[correction.end() :]))
        page = _Page(page.text[: correction.start()])
    yield from _statements_of(page)


def _statements_of(page: _Page) -> Iterator[Statement]:
    if "boxed" in page.text:
        yield from _declared(page, "boxed", _boxes(page))
    if "####" in page.text:
        yield from _declared(page, "hash mark", _headed(page, _HASH))
    if "final " in page.low:
        yield from _declared(page, "final answer", _headed(page, _FINAL))
    yield from _declared(page, "answer", _labelled(page))
    yield from _implied(page)


_BRACE = re.compile(r"[{}]")


def _boxes(page: _Page) -> list[tuple[int, int]]:
    r"""Return where the contents of `\boxed{…}` are; one pass over the braces, however deep they nest."""
    opened: list[int] = []
    found = []
    for brace in _BRACE.finditer(page.text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            start = opened.pop()
            if brace.start() - start <= _WINDOW and page.text.endswith("boxed", 0, start) and page.span_end(start):
                found.append((start + 1, brace.start()))
    return found[-_MOST:]


_HASH = re.compile(r"\n[ \t]{0,8}####[ \t*]{0,8}")
_FINAL = re.compile(r"final (?:answer|result)[*_\s]{0,6}(?:[:：=→–—-]|is\b|\n)?[*_ \t]{0,6}")
_LABEL = r"(?![a-z])(?:[*_]{0,4}[ \t]{0,3}" + any_of(LINK) + r"|[*_: \t]{0,8}(?=\n))(?! ?not\b)[*_:： \t]{0,8}"
_ANSWER = re.compile("answer" + _LABEL)
_OTHER_ANSWER = re.compile(any_of(ANSWER) + _LABEL)
_IS_ANSWER = re.compile(r"is (?:the|our|my) (?:right |correct |final )?answer\b")


_STEP_HEADINGS = ("\n**step ", "\n### step ", "\nstep ")
"""An `Answer:` before a later step is that step's, not the problem's."""


def _headed(page: _Page, mark: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return what follows a mark that needs no look at what is before it, if it opens a line."""
    found = []
    for match in list(mark.finditer(page.low))[-_MOST:]:
        start, end = match.span()
        if _opens_line(page.low, start):
            stop = min(end + _WINDOW, len(page.low))
            paragraph = page.low.find("\n\n", end, stop)
            limit = solution_spans(page.low, end, stop if paragraph < 0 else paragraph)[0][1]
            found.append((end, _statement_end(page, end, limit)))
        elif (limit := page.span_end(start)) and not _in_parenthesis(page.low, start):
            found.append((end, _statement_end(page, end, limit)))
    return found


def _labelled(page: _Page) -> list[tuple[int, int]]:
    """Return what follows `answer:`; an answer in parentheses belongs to a question asked to the reader."""
    found = []
    last_step = max(page.low.rfind(heading) for heading in _STEP_HEADINGS)
    matches = list(_ANSWER.finditer(page.low, last_step + 1))
    for match in (matches or list(_OTHER_ANSWER.finditer(page.low, last_step + 1)))[-_MOST:]:
        start, end = match.span()
        if (limit := page.span_end(start)) and not _in_parenthesis(page.low, start):
            found.append((end, _statement_end(page, end, max(limit, end))))
    for match in list(_IS_ANSWER.finditer(page.low))[-_MOST:]:
        line = page.text.rfind("\n", 0, match.start()) + 1
        if sentences := _sentences_of_line(page.text, line, match.start()):
            found.append(sentences[-1])
    return sorted(found)


_MARKUP = " \t\n*_#>"


def _opens_line(low: str, at: int) -> bool:
    before = low[max(0, at - 12) : at]
    return "\n" in before[len(before.rstrip(_MARKUP)) :] or low[at] == "\n"


def _in_parenthesis(low: str, at: int) -> bool:
    return low[max(0, at - 8) : at].rstrip(" *_").endswith(("(", "[", "（"))


_DIGIT = re.compile(r"\d|[½⅓⅔¼¾⅛⅜⅝⅞]")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]")


def _statement_end(page: _Page, start: int, limit: int) -> int:
    """Return where the statement ends that starts here: its line, or the next lines up to one with a number."""
    limit = min(limit, start + _WINDOW)
    end = line = start
    for _ in range(4):
        end = page.text.find("\n", line, limit)
        if end < 0 or _DIGIT.search(page.text, line, end) or WORD_NUMBER.search(page.low, line, end):
            break
        line = end + 1
    end = limit if end < 0 else end
    if page.text[line - 1] == "\n" and _LIST_ITEM.match(page.text, line, end):
        return _list_end(page.text, line, limit)
    sentences = _sentences_of_line(page.text, line, end)
    bold = (one for one in sentences if _is_bold(page.text, line, *one))
    return next(bold, sentences[0])[1] if sentences else end


def _list_end(text: str, line: int, limit: int) -> int:
    """Return where the list ends that starts with this line."""
    for _ in range(20):
        if not _LIST_ITEM.match(text, line, limit):
            return line - 1
        line = text.find("\n", line, limit) + 1
        if not line:
            return limit
    return line - 1


def _is_bold(text: str, line: int, start: int, end: int) -> bool:
    """Return whether a sentence of a line has a digit in bold; bold may have opened earlier in the line."""
    if "**" not in text[line:end]:
        return False
    outside = text.count("**", line, start) % 2 == 0
    return any(_DIGIT.search(piece) for piece in text[start:end].split("**")[outside::2])


_WORKING = re.compile(rf"[=?≈→]|\bstep\b|{_CORRECTION.pattern}")


def _declared(page: _Page, kind: StatementKind, found: list[tuple[int, int]]) -> Iterator[Statement]:
    """Yield the statements that were found for a kind, the last first."""
    for index in range(len(found) - 1, -1, -1):
        start, end = found[index]
        is_afresh = not index or bool(_WORKING.search(page.low, found[index - 1][1], start))
        yield Statement(kind, page.text[start:end], True, is_afresh)


_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’*_)]*(?=[\s*])|[。！？।]")
_FIRST_WORD = re.compile(r"[^\w\n]{0,12}(?:and |great job! )?([\w']{1,20})")
_RESULT = re.compile(r"= ?[^=\w\n]{0,6}\d[^=\n]*$")


def _implied(page: _Page) -> Iterator[Statement]:
    """Yield sentences with a digit, from the last: those that conclude, are bold or end in a result, then others."""
    others = []
    for line, start, end in islice(_sentences(page), _MOST_SENTENCES):
        text = page.text[start:end]
        if text.rstrip(" *_\"'”’)").endswith(("?", "？")):
            continue
        word = _FIRST_WORD.match(page.low, start, end)
        if word and cue_at(page.low, word.start(1), word[1]) == "conclude":
            yield Statement("concluding sentence", text, False, True)
        elif _is_bold(page.text, line, start, end):
            yield Statement("bold final", text, False, True)
        elif _RESULT.search(text):
            yield Statement("result", text, False, True)
        else:
            others.append(Statement("last sentence", text, False, True))
    yield from others


def _sentences(page: _Page) -> Iterator[tuple[int, int, int]]:
    """Yield (start of its line, start, end) of the sentences that hold a number, from the last one."""
    number, text = (_DIGIT, page.text) if _DIGIT.search(page.text) else (WORD_NUMBER, page.low)
    for first, last in reversed(page.spans):
        end = last
        while end > first:
            line = text.rfind("\n", first, end) + 1 or first
            if number.search(text, line, end):
                for start, stop in reversed(_sentences_of_line(text, line, end, number)):
                    yield line, start, stop
            end = line - 1


def _sentences_of_line(text: str, start: int, end: int, number: re.Pattern[str] = _DIGIT) -> list[tuple[int, int]]:
    """Return the (start, end) of the sentences of a line that hold a number, without a list's own."""
    item = _LIST_ITEM.match(text, start, end) if text[start - 1] == "\n" else None
    start = item.end() if item else start
    cuts = [start, *(match.end() for match in _SENTENCE_END.finditer(text, start, end)), end]
    return [pair for pair in pairwise(cuts) if number.search(text, *pair)]
