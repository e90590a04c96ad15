"""What is decided where all attempts at a problem are known: its pass rate, copies, and which traces are kept."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic_core import to_json

from cotdistill.filters import GroupFilter, Reason
from cotdistill.filters.pass_rate import reason_against_pass_rate
from cotdistill.filters.problem_groups import ProblemGroups, Run
from cotdistill.records import FilterKind, Trace
from cotdistill.storage.encoded import EncodedRow, encode_text, rejected

Reasons = Mapping[int, Reason]
"""Number of a row -> why it is dropped beside the others of its problem."""


def decided(
    groups: ProblemGroups, window: tuple[float, float] | None, group_filters: Sequence[GroupFilter]
) -> Iterator[EncodedRow]:
    """Yield every row in input order, kept or rejected; `window` are the limits of the pass rate."""
    waiting: dict[int, Reason] = {}
    for run in groups.read_runs():
        outside = reason_against_pass_rate(run.pass_rate, *window) if window else None
        if group_filters and not outside:
            # All rows of the problem at once; the reasons against those further on wait for their turn.
            waiting.update(_reasons_in_group(groups, run, group_filters))
        rate = to_json(run.pass_rate)
        for number in run.rows:
            kind, reason, data = _row(groups, number, rate)
            if kind is None and (found := outside or waiting.pop(number, None)):
                kind, reason = found.kind, encode_text(found.text)
            yield rejected(kind, reason, data) if kind else EncodedRow(data, Trace)


def _row(groups: ProblemGroups, number: int, rate: bytes) -> tuple[FilterKind | None, bytes, bytes]:
    row = groups.read(number)
    return row.kind, row.reason, row.with_pass_rate(rate)


def _reasons_in_group(groups: ProblemGroups, run: Run, group_filters: Sequence[GroupFilter]) -> dict[int, Reason]:
    """Return why rows of a problem are dropped beside its others, by their number."""
    standing = {number: row for number in run.all_rows if (row := groups.read(number)).kind is None}
    traces = {number: row.trace(run.pass_rate) for number, row in standing.items()}
    reasons: dict[int, Reason] = {}
    for group_filter in group_filters:
        left = [number for number in traces if number not in reasons]
        found = group_filter([traces[number] for number in left])
        reasons.update((number, reason) for number, reason in zip(left, found, strict=True) if reason)
    return reasons
