"""Texts that are too short to teach anything, or too long for the student."""

from typing import NamedTuple

from cotdistill.records import Trace


class Limits(NamedTuple):
    """Least and most, both allowed themselves; None: no limit."""

    least: int | None = None
    most: int | None = None


def reason_against_reasoning_length(trace: Trace, limits: Limits) -> str:
    """Return how the rationale's length in characters passes the limits; empty where it does not."""
    return _reason("reasoning", len(trace.completion.reasoning), limits)


def reason_against_answer_length(trace: Trace, limits: Limits) -> str:
    """Return how the answer's length in characters passes the limits; empty where it does not."""
    return _reason("answer", len(trace.completion.text), limits)


def reason_against_tokens(trace: Trace, most: int) -> str:
    """Return how many tokens, by the server's count, are too many; a completion that was not counted stays."""
    found = trace.completion.usage.completion_tokens
    return f"long_completion: {found} tokens > {most}" if found > most else ""


def _reason(name: str, found: int, limits: Limits) -> str:
    if limits.least is not None and found < limits.least:
        return f"short_{name}: {found} characters < {limits.least}"
    if limits.most is not None and found > limits.most:
        return f"long_{name}: {found} characters > {limits.most}"
    return ""
