"""What a judge is shown of an answer: the part that states the result, never the thinking, bounded in length."""

from itertools import takewhile

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._extract import statements
from cotdistill.verifiers._text import cleaned

OPENERS = {
    "thought process", "let's solve this problem step by step", "let's think step by step", "solution", "answer",
    "final answer", "解", "解答", "答案", "かいせつ", "解説", "respuesta",
}  # fmt: skip
"""Words that announce an answer and are none: the ones that judges were seen to call correct (arXiv 2507.08794), and
others of their sort."""
_SIGNS = frozenset("∞∅√")
"""Answers without a letter or a digit."""


def stated_answer(text: str, *, extracted: str | None, limit: int) -> str:
    """Return the part of an answer that states its result, at most `limit` characters; empty where nothing is said.

    What the answer declares (`\\boxed{…}`, `Answer: …`), all statements of the most trustworthy kind, so that two that
    disagree are both seen. Else the sentence in which the rules found `extracted`; else the end of the text.
    """
    found = statements(text)
    first = next(found, None)
    if first is not None and first.is_declared:
        same = takewhile(lambda other: other.kind == first.kind, found)
        said = "\n".join(reversed([first.text.strip(), *(other.text.strip() for other in same)]))
    elif first is not None and extracted:
        said = first.text.strip()
    else:
        said = (after_thinking(text) or "").strip()
    said = _end_of(said, limit)
    return "" if is_void(said) else said


def is_void(answer: str) -> bool:
    """Return whether an answer says nothing: no line has a letter or a digit beside words that only announce one."""
    lines = (line.replace("’", "'") for line in answer.splitlines())
    return not any(
        any(c.isalnum() or c in _SIGNS for c in line) and cleaned(line, casefold=True) not in OPENERS for line in lines
    )


def _end_of(text: str, limit: int) -> str:
    """Return the last characters of a text, from the start of a paragraph, a line or a word where one fits."""
    if len(text) <= limit:
        return text
    end = text[-limit:]
    for mark in ("\n\n", "\n", " "):
        _, found, rest = end.partition(mark)
        if found and len(rest) >= limit // 2:
            return rest.strip()
    return end.strip()
