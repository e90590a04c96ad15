"""Rationales that speak of the answer that the teacher was shown: the student will be shown none.

Only completions drawn with the gold answer in the prompt are looked at (`is_hinted`): elsewhere `the given answer`
means something in the question. The phrases are those of `hint_leaks.toml`, in MGSM's eleven languages.
"""

from cotdistill.filters import Reason
from cotdistill.filters._phrases import first_phrase, read_phrases
from cotdistill.records import Trace

PHRASES = read_phrases("hint_leaks.toml")


def reason_against_hint_leak(trace: Trace) -> Reason | None:
    """Return the phrase that speaks of the answer shown; None where there is none, or none was shown."""
    if not trace.completion.is_hinted:
        return None
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        if leak := first_phrase(text, tuple(PHRASES.values())):
            return Reason("hint_leak", f"the {name} says `{leak}` (limit 0 times)")
    return None
