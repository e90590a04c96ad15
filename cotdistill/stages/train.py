"""train: the student learns from the conversations, in a worker process of its own, in one phase or several.

4-train/phase-1/checkpoint/  4-train/phase-1/metrics.jsonl  …  4-train/checkpoint/ (of the last phase)
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from cotdistill.errors import RecipeFault
from cotdistill.nodes.meeting import Meeting
from cotdistill.records import Checkpoint, Conversation
from cotdistill.registry import KindOptions
from cotdistill.stage import Advance, Workspace, stage
from cotdistill.storage import jsonl
from cotdistill.storage.keys import weights_fingerprint
from cotdistill.storage.run_folder import CHECKPOINT_ROWS, METRICS, PHASE, RUN_LOG, TOKENS
from cotdistill.styles import Style
from cotdistill.training.launch.launch import OnProgress
from cotdistill.training.options import TrainOptions
from cotdistill.training.phase_student import student_in_phase
from cotdistill.training.run import TrainResult, join
from cotdistill.training.run import train as train_worker
from cotdistill.training.training import Training, TrainingSet
from cotdistill.training.watching import note


@runtime_checkable
class PhasedRows(Iterable[Conversation], Protocol):
    """Conversations of data sets, of which each phase chooses its own by its options."""

    @property
    def key(self) -> str | None:
        """What tells these rows from others."""
        ...

    @property
    def logprobs(self) -> Path | None:
        """File of the log-probabilities that were recorded with them."""
        ...

    @property
    def evaluation(self) -> Iterable[Conversation] | None:
        """Rows whose loss is looked at while training."""
        ...

    def in_phase(self, options: TrainOptions, folder: Path) -> "PhasedRows":
        """Return the rows of one phase; bad ones go to `folder`."""
        ...


# It writes dropped.jsonl itself: what is left out can be looked at before the hours of training are spent.
@stage(rows=CHECKPOINT_ROWS, rejects=None, is_resumable=True, is_on_all_nodes=True)
def train(
    conversations: Iterable[Conversation],
    options: TrainOptions,
    work: Workspace,
    *,
    student: KindOptions,
    style: Style | None = None,
) -> Iterator[Checkpoint]:
    """Train the student on the conversations, and keep its weights.

    The trained student comes first, those of the points on the way, where they are kept, after it.
    On several machines node 0 alone has them at the end.
    """
    phases, meeting = options.in_phases(), work.meeting
    _check_nodes(meeting, phases)
    base = "" if meeting is not None and meeting.shares_folder else _start(work, student)
    results: list[TrainResult] = []
    for number, phase in enumerate(phases, 1):
        is_last = number == len(phases)
        training = Training(
            options=phase if is_last else phase.model_copy(update={"output_dir": None}),
            student=student_in_phase(phase.student, student) or student,
            base=base,
            folder=work.folder if is_last else work.folder / PHASE.format(number),
            tokens=work.run / TOKENS,
            log_file=work.run / RUN_LOG,
            seed=work.seed,
            style=style,
            is_redone=work.is_redone,
            keeps_points=work.keeps_points,
            meeting=meeting,
            engine=work.engine,
            progress=work.progress,
            rows_in=work.rows_in if len(phases) == 1 else 0,
        )
        _meet(meeting, str(work.folder.relative_to(work.run)), number)
        with _Steps(work, _title(number, len(phases)), training.folder / METRICS) as count:
            if meeting is not None and meeting.shares_folder:
                join(training, on_progress=count)
                continue
            rows = _rows(conversations, phases, phase, training.folder)
            result = train_worker(training, rows, on_progress=count)
        if result is not None:
            results.append(result)
            base = str(result.checkpoint)
    if not results:  # the weights are on another machine
        return
    trained = results[-1].checkpoint
    yield Checkpoint(
        path=_relative(trained, work.run),
        fingerprint=weights_fingerprint(trained),
        rows=sum(result.rows for result in results),
        dropped=sum(result.dropped for result in results),
        supervised_tokens=sum(result.supervised_tokens for result in results),
        steps=sum(result.steps for result in results),
    )
    for step, folder in results[-1].points:
        yield Checkpoint(path=_relative(folder, work.run), fingerprint=weights_fingerprint(folder), steps=step)


def _start(work: Workspace, student: KindOptions) -> str:
    """Return what the training begins with: the student of the round before where it builds on it, or the base."""
    if not work.earlier:
        return work.base(student)
    trained = next(jsonl.read(work.earlier[-1] / CHECKPOINT_ROWS, Checkpoint))
    folder = work.run / trained.path
    return str(folder) if folder.is_dir() else trained.path


def _check_nodes(meeting: Meeting | None, phases: Sequence[TrainOptions]) -> None:
    """Raise RecipeFault where a phase would begin with weights that are on another machine."""
    if meeting is not None and meeting.has_own_folders and len(phases) > 1:
        raise RecipeFault(
            "each phase begins with the weights of the one before, which are on node 0 alone",
            "train.phases",
            "start all machines in one folder that they share",
        )


def _meet(meeting: Meeting | None, step: str, phase: int) -> None:
    """Tell the other machines of a phase, or hear of it; of the first they have heard."""
    if meeting is not None and meeting.rank == 0:
        meeting.announce(step)
    elif meeting is not None and phase > 1:
        meeting.next_step()


def _title(number: int, phases: int) -> str:
    return "training" if phases == 1 else f"training, phase {number} of {phases}"


def _rows(
    conversations: Iterable[Conversation], phases: Sequence[TrainOptions], phase: TrainOptions, folder: Path
) -> TrainingSet:
    """Return what a phase learns from. Raises: RecipeFault where there are phases, and rows that have no names."""
    if isinstance(conversations, PhasedRows):
        rows = conversations.in_phase(phase, folder)
        return TrainingSet(rows, key=rows.key, logprobs=rows.logprobs, evaluation=rows.evaluation)
    if len(phases) > 1:
        raise RecipeFault("choose among data sets by name, and these rows have none", "train.phases")
    return TrainingSet(conversations)


class _Steps:
    """The bar of the steps, with what the metrics say of them beside it.

    It opens with the first that is heard of the steps: the tokens, which are made before, have a bar of their own.
    """

    def __init__(self, work: Workspace, title: str, metrics: Path) -> None:
        self.work, self.title, self.metrics = work, title, metrics
        self.bar = contextlib.ExitStack()
        self.advance: Advance | None = None
        self.done = 0

    def __enter__(self) -> OnProgress:
        self.bar.__enter__()
        return self.count

    def __exit__(self, *error: Any) -> None:  # Any: as `ExitStack.__exit__` has it
        self.bar.__exit__(*error)

    def count(self, steps: int, total: int) -> None:
        """Move the bar to the steps done."""
        if self.advance is None:
            self.advance = self.bar.enter_context(self.work.progress(self.title, total=total, unit="steps"))
        self.advance(steps - self.done, total=total, note=note(self.metrics))
        self.done = steps


def _relative(checkpoint: Path, run: Path) -> str:
    """Return a path that moves with the run; an `output_dir` elsewhere stays where it is."""
    whole = checkpoint.resolve()
    return str(whole.relative_to(run.resolve())) if whole.is_relative_to(run.resolve()) else str(whole)
