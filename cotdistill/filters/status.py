"""Answers that are not whole, and answers that are not right."""

from cotdistill.filters import Reason
from cotdistill.records import Trace

READ_FROM = {
    "boxed": "\\boxed",
    "hash mark": "what follows ####",
    "final answer": "the words “final answer”",
    "answer": "the words “the answer is”",
    "concluding sentence": "the concluding sentence",
    "bold final": "the last bold text",
    "result": "the last result of a calculation",
    "last sentence": "the last sentence",
    "last number": "the last number",
}
"""What a verifier calls the place of a final answer -> the place in plain words."""


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
    how = f"read from {READ_FROM[verdict.reason]}" if verdict.reason in READ_FROM else verdict.reason
    return Reason(verdict.outcome, f"found {found}, gold {trace.problem.gold}; {how}")


def reason_against_known_wrong(trace: Trace) -> Reason | None:
    """Return why the answer does not count as right; None where it does, or where no gold answer says what is."""
    return None if trace.problem.gold is None else reason_against_verdict(trace)
