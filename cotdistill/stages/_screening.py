"""What is found out about each row alone, in any process: verdict and first reason against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cotdistill.errors import UserError
from cotdistill.filters import Reason, RowFilter
from cotdistill.filters.problem_groups import Screened, screened
from cotdistill.records import Trace, Verdict
from cotdistill.storage.encoded import encode
from cotdistill.verifiers import Verifier, verdict_on


def set_up(
    row_filters: Callable[[], Sequence[RowFilter]], verifier: Verifier | None, *, is_reviewed: bool = False
) -> Callable[[Trace], Screened]:
    """Return what grades and screens a row; without a verifier it is graded already.

    `is_reviewed`: a row that people decided about keeps their verdict.
    """
    return _Screening(row_filters(), verifier, is_reviewed)


@dataclass(frozen=True)
class _Screening:
    """Verifier and filters, ready."""

    row_filters: Sequence[RowFilter]
    verifier: Verifier | None
    is_reviewed: bool

    def __call__(self, trace: Trace) -> Screened:
        """Return the row with its verdict and the first reason against it."""
        if self.verifier is not None and not (self.is_reviewed and trace.reviewed):
            # What an earlier run found may have been found by another verifier.
            trace = trace.model_copy(update={"verdict": _verdict(self.verifier, trace), "pass_rate": None})
        elif trace.pass_rate is not None:
            trace = trace.model_copy(update={"pass_rate": None})
        reason = self._reason_against(trace)
        kind, text = (reason.kind, reason.text) if reason else (None, "")
        return screened(trace, kind, text, encode(trace))

    def _reason_against(self, trace: Trace) -> Reason | None:
        return next((reason for row_filter in self.row_filters if (reason := row_filter(trace))), None)


def _verdict(verifier: Verifier, trace: Trace) -> Verdict:
    """Return the verdict on a trace; what goes wrong in the verifier is this row's alone."""
    try:
        return verdict_on(verifier, trace.problem, trace.completion)
    except UserError:
        raise
    except Exception as error:  # of another package's verifier
        return Verdict(outcome="error", reason=f"the verifier failed: {type(error).__name__}: {error}")
