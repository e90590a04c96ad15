"""Rationales of one problem that say the same again, exactly or nearly."""

from collections.abc import Sequence

from cotdistill.filters import Reason
from cotdistill.filters.shingles import jaccard, shingles, words
from cotdistill.records import Trace


def reasons_against_copies(traces: Sequence[Trace]) -> list[Reason | None]:
    """Return for each trace of one problem why it is a copy of an earlier one; None for what is new.

    Letters' case, marks and white space make no difference.
    """
    if len(traces) < 2:
        return [None] * len(traces)
    first: dict[tuple[str, ...], int] = {}
    reasons: list[Reason | None] = []
    for trace in traces:
        said = words(whole_text(trace))
        if said in first:
            text = f"says what sample {first[said]} of the problem says (limit 0 copies)"
            reasons.append(Reason("duplicate", text))
        else:
            reasons.append(None)
            first[said] = trace.completion.index
    return reasons


def reasons_against_near_copies(traces: Sequence[Trace], most: float) -> list[Reason | None]:
    """Return for each trace of one problem why it is too like an earlier one that stays; None for what is new.

    The similarity is the Jaccard index of the runs of three words, exact: no sketch is needed within a problem.
    """
    if len(traces) < 2:
        return [None] * len(traces)
    kept: list[tuple[int, frozenset[int]]] = []
    reasons: list[Reason | None] = []
    for trace in traces:
        own = shingles(whole_text(trace))
        like, sample = max(((jaccard(own, other), sample) for sample, other in kept), default=(0.0, 0))
        if like >= most:
            text = f"{like:.2f} like sample {sample} of the problem (limit {most:g})"
            reasons.append(Reason("near_duplicate", text))
        else:
            reasons.append(None)
            kept.append((trace.completion.index, own))
    return reasons


def whole_text(trace: Trace) -> str:
    """Return rationale and answer, as the student would learn them."""
    return f"{trace.completion.reasoning}\n{trace.completion.text}"
