"""Answers that decline to answer, in the words of assistants: those of `refusals.toml`, in MGSM's eleven languages."""

from cotdistill.filters import Reason
from cotdistill.filters._phrases import first_phrase, read_phrases
from cotdistill.records import Trace

LEAD_CHARS = 300
"""A refusal stands at the start; `I cannot help but notice` deep inside a solution is none."""
PHRASES = read_phrases("refusals.toml")


def reason_against_refusal(trace: Trace) -> Reason | None:
    """Return the words that decline; None where the answer does not begin so."""
    refusal = first_phrase(trace.completion.text[:LEAD_CHARS], tuple(PHRASES.values()))
    return Reason("refused", f"the answer begins with `{refusal}` (limit 0 times)") if refusal else None
