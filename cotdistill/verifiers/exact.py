"""The verifier for answers that are words: equality with the final answer after cleaning both."""

import re

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._extract import after_thinking, statements

_FRAME = " \t\n*_`$\"'“”‘’«»()[]:：-–—"
_STOPS = ".!?。！？।"
_FIRST_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？।]")


@kind
def exact(gold: str, answer: str, *, casefold: bool = True) -> Verdict:
    """Compare the final answer with gold as text.

    The final answer is what the answer declares (`\\boxed{…}`, `####`, `Answer: …`), else its last line. Markup,
    quotes, the full stop and repeated white space are no difference.

    Options:
        casefold: whether `Paris` equals `PARIS`; true, since capitals of an answer seldom carry meaning.
    """
    expected = cleaned(gold.rpartition("####")[2], casefold=casefold)
    if not expected:
        return Verdict(outcome="error", reason="gold is empty")
    found = final_line(answer)
    if found is None:
        return Verdict(outcome="unparsed", reason="no final answer found")
    text, reason = found
    variants = (text, _FIRST_SENTENCE.split(text, maxsplit=1)[0])
    is_correct = any(cleaned(variant, casefold=casefold) == expected for variant in variants)
    return Verdict(outcome="correct" if is_correct else "wrong", extracted=text.strip(), reason=reason)


def final_line(answer: str) -> tuple[str, str] | None:
    """Return the line that states the final answer and how it was found; None where there is none."""
    for statement in statements(answer):
        lines = [line for line in statement.text.splitlines() if cleaned(line, casefold=False)]
        if statement.is_declared and lines:
            return lines[0].strip(), statement.kind
    lines = [line for line in (after_thinking(answer) or "").splitlines() if cleaned(line, casefold=False)]
    return (lines[-1].strip(), "last line") if lines else None


def cleaned(text: str, *, casefold: bool) -> str:
    """Return the text without framing markup and final stop, white space as single blanks."""
    text = " ".join(text.strip(_FRAME + _STOPS).split())
    return text.casefold() if casefold else text
