"""Thinking tags inside what was taken apart: a student would learn to write them in the middle of a thought."""

from cotdistill.filters import Reason
from cotdistill.records import Trace
from cotdistill.think_tags import STRAY_TAG


def reason_against_tags(trace: Trace) -> Reason | None:
    """Return which thinking tag stands where it cannot be paired; None where none does."""
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        if tags := STRAY_TAG.findall(text):
            return Reason("format", f"{len(tags)} thinking tags in the {name} (limit 0), the first `{tags[0]}`")
    return None
