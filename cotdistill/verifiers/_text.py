"""Compares answers that are words: the line that states the final answer, and text without its framing."""

import re

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._extract import statements

_FRAME = " \t\n*_`$\"'“”‘’«»()[]:：-–—"
_STOPS = ".!?。！？।"
_FIRST_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？।]")


def final_line(answer: str) -> tuple[str, str] | None:
    """Return the line that states the final answer and how it was found; None where there is none."""
    for statement in statements(answer):
        lines = [line for line in statement.text.splitlines() if cleaned(line, casefold=False)]
        if statement.is_declared and lines:
            return lines[0].strip(), statement.kind
    lines = [line for line in (after_thinking(answer) or "").splitlines() if cleaned(line, casefold=False)]
    return (lines[-1].strip(), "last line") if lines else None


_LINK = re.compile(r"\b(?:is|are|was|were|be|becomes|ist|es|est|é|è)\b:?\s|[:=：]\s*|是|为|為")


def readings(text: str, *, casefold: bool) -> set[str]:
    """Return what a final line may say, cleaned: itself, its first sentence, and what either says that something is."""
    whole = (text, first_sentence(text))
    links = (list(_LINK.finditer(part)) for part in whole)
    predicates = (part[found[-1].end() :] for part, found in zip(whole, links, strict=True) if found)
    return {cleaned(part, casefold=casefold) for part in (*whole, *predicates)} - {""}


def first_sentence(text: str) -> str:
    """Return the text up to its first full stop."""
    return _FIRST_SENTENCE.split(text, maxsplit=1)[0]


def cleaned(text: str, *, casefold: bool) -> str:
    """Return the text without framing markup and final stop, white space as single blanks."""
    text = " ".join(text.strip(_FRAME + _STOPS).split())
    return text.casefold() if casefold else text
