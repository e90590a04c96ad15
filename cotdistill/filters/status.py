"""Answers that are not whole, and answers that are not right."""

from cotdistill.records import Trace


def reason_against_status(trace: Trace) -> str:
    """Return why the completion is no whole answer; empty where it is one."""
    if trace.completion.status == "ok":
        return ""
    return f"{trace.completion.status}: finish_reason {trace.completion.finish_reason}"


def reason_against_verdict(trace: Trace) -> str:
    """Return why the answer does not count as right; empty where it does."""
    verdict = trace.verdict
    if verdict is None:
        raise ValueError("the trace has not been judged")
    if verdict.outcome == "correct":
        return ""
    found = verdict.extracted if verdict.extracted is not None else "nothing"
    return f"{verdict.outcome}: found {found}, gold {trace.problem.gold}; {verdict.reason}"
