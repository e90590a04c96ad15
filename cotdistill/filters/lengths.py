"""Texts that are too short to teach anything, or too long for the student."""

from typing import NamedTuple

from cotdistill.filters import Reason
from cotdistill.records import FilterKind, Trace


class Limits(NamedTuple):
    """Least and most, both allowed themselves; None: no limit."""

    least: int | None = None
    most: int | None = None


def reason_against_reasoning_length(trace: Trace, limits: Limits) -> Reason | None:
    """Return how the rationale's length in characters passes the limits; None where it does not."""
    found = len(trace.completion.reasoning)
    return _reason(found, limits, short="short_reasoning", long="long_reasoning")


def reason_against_answer_length(trace: Trace, limits: Limits) -> Reason | None:
    """Return how the answer's length in characters passes the limits; None where it does not."""
    return _reason(len(trace.completion.text), limits, short="short_answer", long="long_answer")


def reason_against_tokens(trace: Trace, most: int) -> Reason | None:
    """Return how many tokens, by the server's count, are too many; a completion that was not counted stays."""
    found = trace.completion.usage.completion_tokens
    return Reason("long_completion", f"{found} tokens > {most}") if found > most else None


def _reason(found: int, limits: Limits, *, short: FilterKind, long: FilterKind) -> Reason | None:
    if limits.least is not None and found < limits.least:
        return Reason(short, f"{found} characters < {limits.least}")
    if limits.most is not None and found > limits.most:
        return Reason(long, f"{found} characters > {limits.most}")
    return None
