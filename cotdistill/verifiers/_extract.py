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
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from cotdistill.numbers.words import WORD_NUMBER
from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._announced import ANNOUNCES, RUN_ON, Spot, announcements
from cotdistill.verifiers._languages import ALL, pattern
from cotdistill.verifiers._page import DIGIT, WINDOW, Page, cue_at, is_bold, sentences_of_line

StatementKind = Literal[
    "boxed", "hash mark", "final answer", "answer", "concluding sentence", "bold final", "result", "last sentence"
]


class Statement(NamedTuple):
    """A piece of the answer that states a result."""

    kind: StatementKind
    text: str
    is_declared: bool = False
    """Announced as the answer, not only the last thing said."""
    is_afresh: bool = True
    """Working lies between it and the statement of its kind before it, so that it may differ from that."""
    is_joined: bool = False
    """Only a comma, an `and` or the like lies between: `\\boxed{2} and \\boxed{3}` are one list."""
    codes: tuple[str, ...] = ALL
    """The languages that it may be in."""


_MOST_SENTENCES = 200
"""Sentences with a number that are looked at, from the last."""
_NOTES = re.compile(r"<<[^<>\n]{0,80}>>")
"""What GSM8K's calculator computed: `48/2=<<48/2=24>>24`."""
_NEXT_QUESTION = re.compile(
    r"\n[ \t]*\n(?!now|so\b|then|next|but\b|and\b|finally|how|what)[^\n*#]{50,900}[?？][ \t]*(?=\n)"
)
"""The next question of a text that was not stopped, without a label."""
_STOP = re.compile(r"<(?:[|｜](?:endoftext|im_end|eot_id|end|end▁of▁sentence)[|｜]|/s|end_of_turn)>")
_TAGGED = re.compile(r"<(?i:answer)>((?:[^<]++|<(?!/(?i:answer)>))*+)")
_CORRECTION = r"[\n.!?:;,—–…}。！？，；：।][^\w\n]{0,8}+@correction@"
_WORKING = r"[=?≈→]|\bstep\b|" + _CORRECTION
_JOINED = re.compile(
    r"(?:[\s,;&$(){}\[\]和或、]|\\(?:q?quad|[()\[\],;:! ]|(?:text|mbox)\s?\{[^{}]{0,40}\})|"
    r"\b(?:and|or|und|oder|y|o|et|ou)\b)*+"
    r"(?:[a-z](?:_\{?\d\}?)?(?:\([a-z]\))?\s?=[\s$]?)?"
)
_FIRST_WORD = re.compile(r"[^\w\n]{0,12}(?:and |great job! )?([\w']{1,20})")
_RESULT = re.compile(r"= ?[^=\w\n]{0,6}\d[^=\n]*$|^\W{0,8}\d[\d.,]*\W{0,4}$")


def statements(answer: str) -> Iterator[Statement]:
    """Yield what states the final answer, the most trustworthy first; nothing for an unclosed thought."""
    text = (after_thinking(answer) or "").replace("\r\n", "\n")
    if "<<" in text:
        text = _NOTES.sub("", text)
    if "<" in text:
        start = len(text) - len(text.lstrip())
        text = text[: stop.start()].rstrip() if (stop := _STOP.search(text, start + 1)) else text
        if (tagged := _TAGGED.findall(text)) and (said := tagged[-1].strip()):
            text = said if "\n" in said else f"Answer: {said}"
    return _statements_of(Page("\n" + text)) if text.strip() else iter(())


def _statements_of(page: Page, *, is_whole: bool = True) -> Iterator[Statement]:
    doubtful = []
    for kind, found in announcements(page):
        if not found:
            continue
        if is_whole:
            if run_on := _run_on(page, kind, found):
                yield from _statements_of(Page(page.text[:run_on]))
                return
            if correction := _last_correction(page, found):
                yield from _statements_of(Page("\n" + page.text[correction.end() :]), is_whole=False)
                yield from _statements_of(Page(page.text[: correction.start()]), is_whole=False)
                return
            is_whole = False
        stated = list(_declared(page, kind, found))
        yield from (statement for statement, is_own in stated if is_own)
        doubtful += [statement for statement, is_own in stated if not is_own]
    yield from doubtful
    yield from _implied(page)


def _run_on(page: Page, kind: StatementKind, found: list[Spot]) -> int:
    """Return where another question starts, before the last of these announcements and after one; 0 where none does.

    A plain question may be a step of the solution, unless it is answered in the same form as what is before it.
    """
    end = found[-1].start
    for mark in (RUN_ON, _NEXT_QUESTION) if page.low.find("?\n", 0, end) > 0 else (RUN_ON,):
        if mark.search(page.low, 0, end):
            is_any = mark is RUN_ON or kind == "answer"
            first = pattern(ANNOUNCES, page.codes).search(page.low) if is_any else None
            if question := mark.search(page.low, first.start() if first else found[0].start, end):
                return question.start()
    return 0


def _last_correction(page: Page, found: list[Spot]) -> re.Match[str] | None:
    """Return where something is called wrong last, soon after an announcement."""
    end = len(page.low)
    for at, *_ in reversed(found):
        if matches := list(pattern(_CORRECTION, page.codes).finditer(page.low, at, min(at + WINDOW, end))):
            return matches[-1]
        end = min(end, at + 20)  # what overlaps was looked at
    return None


def _declared(page: Page, kind: StatementKind, found: list[Spot]) -> Iterator[tuple[Statement, bool]]:
    """Yield the statements that were found for a kind, the last first, and whether each is outside asides."""
    for index in range(len(found) - 1, -1, -1):
        start, end, is_heading = found[index]
        before = found[index - 1].end if index else 0
        is_joined = bool(index) and kind == "boxed" and bool(_JOINED.fullmatch(page.low, before + 1, start - 7))
        is_afresh = not index or (not is_joined and bool(pattern(_WORKING, page.codes).search(page.low, before, start)))
        yield (
            Statement(kind, page.text[start:end], True, is_afresh, is_joined, page.codes),
            is_heading or bool(page.span_end(start)),
        )


def _implied(page: Page) -> Iterator[Statement]:
    """Yield sentences with a digit, from the last: those that conclude, are bold or end in a result, then others."""
    others = []
    for line, start, end in islice(_sentences(page), _MOST_SENTENCES):
        text = page.text[start:end]
        if text.rstrip(" *_\"'”’)").endswith(("?", "？")):
            continue
        if pattern("@supposed@", page.codes).search(page.low, start, end):
            continue
        word = _FIRST_WORD.match(page.low, start, end)
        kind: StatementKind = "last sentence"
        if word and cue_at(page.low, word.start(1), word[1]) == "conclude":
            kind = "concluding sentence"
        elif is_bold(page.text, line, start, end):
            kind = "bold final"
        elif _RESULT.search(text):
            kind = "result"
        statement = Statement(kind, text, codes=page.codes)
        if kind != "last sentence":
            yield statement
        else:
            others.append(statement)
    yield from others


def _sentences(page: Page) -> Iterator[tuple[int, int, int]]:
    """Yield (start of its line, start, end) of the sentences that hold a number, from the last one."""
    number, text = (DIGIT, page.text) if DIGIT.search(page.text) else (WORD_NUMBER, page.low)
    for first, last in page.spans_back():
        end = last
        while end > first:
            line = text.rfind("\n", first, end) + 1 or first
            for start, stop in reversed(sentences_of_line(text, line, end, number)):
                yield line, start, stop
            end = line - 1
