"""Rationale and final answer of a trace, for styles that write the final answer alone behind the rationale."""

from cotdistill.records import Trace


def rationale(trace: Trace) -> str:
    """Return the thinking; where a teacher does not think apart, what it wrote is its rationale."""
    return trace.completion.reasoning.strip() or trace.completion.text.strip()


def final_answer(trace: Trace) -> str | None:
    """Return the final answer alone: gold, unless the trace is known to say another; None where neither is known."""
    verdict, gold = trace.verdict, trace.problem.gold
    if gold is not None and (verdict is None or verdict.outcome == "correct"):
        return gold
    return verdict.extracted if verdict is not None else None
