"""Answers that are not whole, and answers that are not right."""

from cotdistill.filters import Reason
from cotdistill.records import Trace


def reason_against_status(trace: Trace) -> Reason | None:
    """Return why the completion is no whole answer; None where it is one."""
    completion = trace.completion
    if completion.status == "ok":
        return None
    return Reason(completion.status, f"finish_reason {completion.finish_reason}")


def reason_against_verdict(trace: Trace) -> Reason | None:
    """Return why the answer does not count as right; None where it does."""
    verdict = trace.verdict
    if verdict is None:
        raise ValueError("the trace has not been judged")
    if verdict.outcome == "correct":
        return None
    found = verdict.extracted if verdict.extracted is not None else "nothing"
    return Reason(verdict.outcome, f"found {found}, gold {trace.problem.gold}; {verdict.reason}")
