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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Literal, NamedTuple

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._languages import ALL, NOUNS, pattern, spoken
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
    codes: tuple[str, ...] = ALL
    """The languages that it may be in."""


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
    def codes(self) -> tuple[str, ...]:
        """The languages that it may be in."""
        return spoken(self.low)

    @cached_property
    def announced(self) -> list[int]:
        """Where words stand that announce an answer, at most the last ones."""
        words = (*_ANNOUNCES, *(noun for code in self.codes for noun in NOUNS[code]))
        found: set[int] = set()
        for word in words:
            at = self.low.rfind(word)
            for _ in range(_MOST):
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


_CORRECTION = r"[\n.!?:;,—–…}。！？，；：।][^\w\n]{0,8}@correction@"


def _end_of(spans: list[tuple[int, int]], at: int) -> int:
    index = bisect_right(spans, (at, spans[-1][1] + 1)) - 1 if spans else -1
    return spans[index][1] if index >= 0 and at <= spans[index][1] else 0


_WINDOW = 300
"""Characters after an announcement in which its statement lies, and its correction if there is one."""

_MOST = 20
"""Announcements that are looked at, from the last: answers have a few, garbage has thousands."""

_MOST_SENTENCES = 200
"""Sentences with a number that are looked at, from the last."""

_ANNOUNCES = ("boxed", "####", "\na:", "\nans", "\n**a:")


_NOTES = re.compile(r"<<[^<>\n]{0,80}>>")
"""What GSM8K's calculator computed: `48/2=<<48/2=24>>24`."""
_RUN_ON = re.compile(r"\n[ \t]*\n(?:question|problem|q|human|user|input|instruction)[ \t]?\d{0,3}[ \t]?[:：]")
"""A text that was not stopped goes on with another question."""
_TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)


def statements(answer: str) -> Iterator[Statement]:
    """Yield what states the final answer, the most trustworthy first; nothing for an unclosed thought."""
    text = after_thinking(answer)
    if text is None or not text.strip():
        return
    text = _NOTES.sub("", text) if "<<" in text else text
    if "<" in text and (tagged := _TAGGED.findall(text)) and tagged[-1].strip():
        text = tagged[-1].strip() if "\n" in tagged[-1].strip() else f"Answer: {tagged[-1].strip()}"
    page = _Page("\n" + text.replace("\r\n", "\n"))
    announced = page.announced
    if announced and (run_on := _RUN_ON.search(page.low, announced[0])):
        page = _Page(page.text[: run_on.start()])
    if correction := _last_correction(page, announced):
        yield from _statements_of(_Page("\n" + page.text[correction.end() :]))
        page = _Page(page.text[: correction.start()])
    yield from _statements_of(page)


def _last_correction(page: _Page, announced: list[int]) -> re.Match[str] | None:
    """Return where something is called wrong last, soon after an announcement."""
    end = len(page.low)
    for at in reversed(announced):
        stop = min(at + _WINDOW, end)
        if found := list(pattern(_CORRECTION, page.codes).finditer(page.low, at, stop)):
            return found[-1]
        end = min(end, at + 20)  # what overlaps was looked at
    return None


def _statements_of(page: _Page) -> Iterator[Statement]:
    doubtful = []
    for kind, find in _KINDS:
        for statement, is_own in _declared(page, kind, find(page)):
            if is_own:
                yield statement
            else:
                doubtful.append(statement)
    yield from doubtful
    yield from _implied(page)


_BRACE = re.compile(r"[{}]")
_BARE_BOX = re.compile(r"\\f?box(?:ed)? ?([-+]?[\d.,]*\d)")


def _boxes(page: _Page) -> list[tuple[int, int]]:
    r"""Return where the contents of `\boxed{…}` are; one pass over the braces, however deep they nest."""
    if "box" not in page.text:
        return []
    opened: list[int] = []
    found = [match.span(1) for match in _BARE_BOX.finditer(page.text) if page.own_end(match.start())]
    for brace in _BRACE.finditer(page.text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            start = opened.pop()
            if (
                brace.start() - start <= _WINDOW
                and page.text.endswith(("boxed", "fbox", "boxed "), 0, start)
                and page.own_end(start)
            ):
                found.append((start + 1, brace.start()))
    return sorted(found)[-_MOST:]


_HASH = re.compile(r"\n?[ \t]{0,8}####[ \t*:：]{0,8}(?=[^#\s])")
_FINAL = r"@final@[*_\s]{0,6}(?:[:：=→–—-]|@link@|\n)?[*_ \t:]{0,6}"
_LABEL = r"(?![a-z])(?:[*_]{0,4}[ \t]{0,3}(?:@link@|[=:：–—→-])|[*_: \t]{0,8}(?=\n))[*_:： \t]{0,8}"
_ANSWER = "answer" + _LABEL
_OTHER_ANSWER = "@answer@" + _LABEL
_SHORT_ANSWER = re.compile(r"\n[*_# ]{0,6}(?:a|ans|answer)[*_]{0,3}[ \t]?[:.=：][*_ \t]{0,6}(?=[^\s*_])")
_OPTION_LIST = re.compile(r"\n[*_# (]{0,6}b[*_]{0,3}[ \t]?[:.)]")
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
        elif limit := _limit(page, start, end):
            found.append((end, _statement_end(page, end, limit)))
    return found


def _labelled(page: _Page) -> list[tuple[int, int]]:
    """Return what follows `answer:`; an answer in parentheses belongs to a question asked to the reader."""
    found = []
    last_step = max(page.low.rfind(heading) for heading in _STEP_HEADINGS)
    matches = list(pattern(_ANSWER, page.codes).finditer(page.low, last_step + 1)) if "answer" in page.low else []
    if not matches and page.announced:
        matches = list(pattern(_OTHER_ANSWER, page.codes).finditer(page.low, last_step + 1))
    for match in matches[-_MOST:]:
        start, end = match.span()
        if limit := _limit(page, start, end):
            found.append((end, _statement_end(page, end, max(limit, end))))
    if not _OPTION_LIST.search(page.low):
        for match in list(_SHORT_ANSWER.finditer(page.low, last_step + 1))[-_MOST:]:
            limit = page.own_end(match.start())
            end = _statement_end(page, match.end(), max(limit, match.end()))
            if limit and _is_last(page, end):
                found.append((match.end(), end))
    for match in list(_IS_ANSWER.finditer(page.low))[-_MOST:] if "answer" in page.low else ():
        line = page.text.rfind("\n", 0, match.start()) + 1
        if sentences := _sentences_of_line(page.text, line, match.start()):
            found.append(sentences[-1])
    return sorted(set(found))


_TURN = re.compile(r"[:;：；\n]|, (?:but|so|and|the|now)\b|\b(?:but|however|pero|aber|mais)\b|[，,](?:但|而|所以)")
_QUESTION = re.compile(r"[^.!\n。！।]{0,80}[?？]")


def _is_last(page: _Page, end: int) -> bool:
    """Return whether only asides follow the line: an `A:` before that answers a question asked on the way."""
    line = page.text.find("\n", end)
    return line < 0 or not any(re.search(r"\w", page.text[max(start, line) : stop]) for start, stop in page.spans if stop > line)


def _limit(page: _Page, start: int, end: int) -> int:
    """Return where a statement must end that is announced here; 0 where the announcement is not the solution's own."""
    if _in_parenthesis(page.low, start) or _is_supposed(page, start, end):
        return 0
    return page.own_end(start)


def _is_supposed(page: _Page, start: int, end: int) -> bool:
    """Return whether an announcement is a question, or what someone might think."""
    low = page.low
    cut = [match.end() for match in _SENTENCE_END.finditer(low, max(0, start - 120), start)]
    before = low[max(cut[-1] if cut else start - 120, low.rfind("\n", 0, start) + 1, 0) : start]
    turns = [match.end() for match in _TURN.finditer(before)]
    question = _QUESTION.match(low, end)
    if pattern("@denies@", page.codes).search(low, start, end):
        return True
    return bool(question and question.end() - end > 1) or bool(
        pattern("@supposed@", page.codes).search(before, turns[-1] if turns else 0)
    )


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


_WORKING = r"[=?≈→]|\bstep\b|" + _CORRECTION


_KINDS: tuple[tuple[StatementKind, Callable[[_Page], list[tuple[int, int]]]], ...] = (
    ("boxed", _boxes),
    ("hash mark", lambda page: _headed(page, _HASH) if "####" in page.text else []),
    ("final answer", lambda page: _headed(page, pattern(_FINAL, page.codes))),
    ("answer", _labelled),
)


def _declared(page: _Page, kind: StatementKind, found: list[tuple[int, int]]) -> Iterator[tuple[Statement, bool]]:
    """Yield the statements that were found for a kind, the last first, and whether each is outside asides."""
    for index in range(len(found) - 1, -1, -1):
        start, end = found[index]
        is_afresh = not index or bool(pattern(_WORKING, page.codes).search(page.low, found[index - 1][1], start))
        yield Statement(kind, page.text[start:end], True, is_afresh, page.codes), bool(page.span_end(start))


_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’*_)]*(?=[\s*])|[。！？।]")
_FIRST_WORD = re.compile(r"[^\w\n]{0,12}(?:and |great job! )?([\w']{1,20})")
_RESULT = re.compile(r"= ?[^=\w\n]{0,6}\d[^=\n]*$")


def _implied(page: _Page) -> Iterator[Statement]:
    """Yield sentences with a digit, from the last: those that conclude, are bold or end in a result, then others."""
    others = []
    supposed = pattern("@supposed@", page.codes)
    for line, start, end in islice(_sentences(page), _MOST_SENTENCES):
        text = page.text[start:end]
        if text.rstrip(" *_\"'”’)").endswith(("?", "？")) or supposed.search(page.low, start, end):
            continue
        word = _FIRST_WORD.match(page.low, start, end)
        if word and cue_at(page.low, word.start(1), word[1]) == "conclude":
            yield Statement("concluding sentence", text, False, True, page.codes)
        elif _is_bold(page.text, line, start, end):
            yield Statement("bold final", text, False, True, page.codes)
        elif _RESULT.search(text):
            yield Statement("result", text, False, True, page.codes)
        else:
            others.append(Statement("last sentence", text, False, True, page.codes))
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
