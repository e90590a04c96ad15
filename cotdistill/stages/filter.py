"""filter: keep the traces that are worth learning from, and say why the others are not."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from cotdistill.records import Rejected, Trace
from cotdistill.registry import Options
from cotdistill.stage import Rows, Workspace, stage
from cotdistill.verifiers import Verifier, judge


class FilterOptions(Options):
    """What is kept."""

    keep: Literal["correct", "all"] = "correct"
    """`correct`: what the verifier finds right. `all`: every whole answer, right or wrong; the arm that shows
    whether filtering helped."""
    max_kept_per_problem: int | None = Field(None, ge=1)
    """Traces of one problem to keep, the first ones; default: all."""


@stage(2)
def filter(  # the stage's name in the recipe
    traces: Iterable[Trace], options: FilterOptions, work: Workspace, *, verifier: Verifier
) -> Rows[Trace]:
    """Keep the answers that the verifier finds right."""
    kept: Counter[str] = Counter()
    for trace in traces:
        judged = trace.model_copy(update={"verdict": judge(verifier, trace.problem, trace.completion)})
        if reason := _reason_against(judged, options, kept[trace.problem.id]):
            yield Rejected(reason=reason, row=judged)
        else:
            kept[trace.problem.id] += 1
            yield judged


def _reason_against(trace: Trace, options: FilterOptions, kept: int) -> str:
    """Return why a trace is dropped; empty where it is kept."""
    verdict = trace.verdict
    assert verdict is not None
    if trace.completion.status != "ok":
        return f"{trace.completion.status}: finish_reason {trace.completion.finish_reason}"
    if options.keep == "correct" and verdict.outcome != "correct":
        found = verdict.extracted if verdict.extracted is not None else "nothing"
        return f"{verdict.outcome}: found {found}, gold {trace.problem.gold}; {verdict.reason}"
    if options.max_kept_per_problem is not None and kept >= options.max_kept_per_problem:
        return f"surplus: {kept} of this problem are kept already"
    return ""
