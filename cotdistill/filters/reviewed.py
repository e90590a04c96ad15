"""What people decided about traces: a sheet as `cotdistill-cli review` writes it, filled in and read back.

| trace | text | question | gold | rationale | answer | verdict | why | decision | new_rationale | new_answer |
|---|---|---|---|---|---|---|---|---|---|---|
| p1/0 | 9f2c… | How many …? | 72 | … | … | unparsed | two finals | accept | | It is 72. |

A decision of people stands for the verifier's verdict; a row without one is left to the verifier.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from cotdistill.data.readers import JsonRow, read_rows
from cotdistill.errors import UserError
from cotdistill.filters import Reason
from cotdistill.records import Trace, Verdict

COLUMNS = (
    *("trace", "text", "question", "gold", "rationale", "answer", "verdict", "why"),
    *("decision", "new_rationale", "new_answer"),
)
READ = ("trace", "text", "decision", "new_rationale", "new_answer")
"""Columns that are read back; the others are for the eyes."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a cell that a spreadsheet would compute."""
OTHER_RUN = "it belongs to another run, or the teacher was asked again: write a sheet of this run by `review`"


class Decision(NamedTuple):
    """What people said about one trace."""

    is_accepted: bool
    text: str
    """What tells the trace's text from others."""
    new_rationale: str
    """Instead of the trace's own; empty: that stays."""
    new_answer: str
    place: str
    """`sheet.csv:7`."""


def text_code(trace: Trace) -> str:
    """Return 12 hex digits that tell the words of a trace from others: a sheet says by them what was read."""
    said = (trace.problem.question, trace.completion.reasoning, trace.completion.text)
    return hashlib.sha256("\0".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet computes: an apostrophe before what looks like a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


class ReviewSheet:
    """Decisions of people, by the id of the trace."""

    def __init__(self, path: Path) -> None:
        """Read a sheet. Raises: UserError: no sheet, an unknown decision, a trace that is decided twice."""
        self.path = path
        self._decisions: dict[str, Decision] = {}
        for place, row in read_rows(path):
            _check_columns(row, place)
            if (decision := _decision(row, place)) is None:
                continue
            trace = _unguarded(str(row["trace"]).strip())
            if trace in self._decisions:
                raise UserError(f"trace {trace} is decided twice, first at {self._decisions[trace].place}", place)
            self._decisions[trace] = decision

    def settle(self, traces: Iterable[Trace]) -> Iterator[Trace]:
        """Yield every trace, in order, with the verdict and the words of people where they decided; others have none.

        Raises: UserError where the sheet speaks of other traces than these.
        """
        left = dict(self._decisions)
        for trace in traces:
            decision = left.pop(trace.id, None)
            if decision is None:
                yield trace.model_copy(update={"verdict": None, "reviewed": None}) if trace.verdict else trace
                continue
            if decision.text != text_code(trace):
                raise UserError(f"trace {trace.id} has another text than in this sheet", decision.place, OTHER_RUN)
            yield _settled(trace, decision)
        if left:
            trace_id, decision = next(iter(left.items()))
            more = f", nor {len(left) - 1} others of it" if len(left) > 1 else ""
            raise UserError(f"there is no trace {trace_id}{more}", decision.place, OTHER_RUN)


def reason_against_reviewed(trace: Trace) -> Reason | None:
    """Return why people want a trace left out; None where they do not."""
    if trace.reviewed != "rejected" or trace.verdict is None:
        return None
    return Reason("reviewed", trace.verdict.reason)


def _settled(trace: Trace, decision: Decision) -> Trace:
    said: Literal["accepted", "rejected"] = "accepted" if decision.is_accepted else "rejected"
    changes = {"reasoning": decision.new_rationale, "text": decision.new_answer}
    new = {name: text for name, text in changes.items() if text}
    reason = f"{said} by people, {decision.place}" + (", with new words" if new else "")
    verdict = Verdict(outcome="correct" if decision.is_accepted else "wrong", reason=reason)
    completion = trace.completion.model_copy(update=new)
    return trace.model_copy(update={"completion": completion, "verdict": verdict, "reviewed": said})


def _check_columns(row: JsonRow, place: str) -> None:
    """Raise UserError where a row is none of a sheet."""
    if missing := [name for name in READ if name not in row]:
        hint = "`cotdistill-cli review RUN --out sheet.csv` writes a sheet"
        raise UserError(f"the column `{missing[0]}` is missing: this is no sheet of traces", place, hint)


def _decision(row: JsonRow, place: str) -> Decision | None:
    """Return what a row says; None where nothing was filled in. Raises: UserError."""
    said, rationale, answer = (str(row[name] or "") for name in READ[2:])
    word = said.strip().lower()
    if word not in ("", "accept", "reject"):
        raise UserError(f"decision: should be accept or reject, found `{said.strip()[:40]}`", place)
    if word == "reject" and (rationale.strip() or answer.strip()):
        raise UserError("decision: reject, and yet there are new words", place, "accept the row, or remove the words")
    if not word and not rationale.strip() and not answer.strip():
        return None
    # New words without a decision are meant to be learned.
    new_rationale, new_answer = (text if text.strip() else "" for text in (rationale, answer))
    return Decision(word != "reject", str(row["text"]).strip(), new_rationale, new_answer, place)
