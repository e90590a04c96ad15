"""train: the student learns from the conversations, in a worker process of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cotdistill.records import Checkpoint, Conversation
from cotdistill.registry import KindOptions
from cotdistill.stage import Workspace, stage
from cotdistill.storage.keys import weights_fingerprint
from cotdistill.storage.run_folder import CHECKPOINT_ROWS, RUN_LOG, TOKENS
from cotdistill.styles import Style
from cotdistill.training.options import TrainOptions
from cotdistill.training.run import train as train_worker


# It writes dropped.jsonl itself: what is left out can be looked at before the hours of training are spent.
@stage(rows=CHECKPOINT_ROWS, rejects=None, is_resumable=True)
def train(
    conversations: Iterable[Conversation],
    options: TrainOptions,
    work: Workspace,
    *,
    student: KindOptions,
    style: Style | None = None,
) -> Iterator[Checkpoint]:
    """Train the student on the conversations, and keep its weights."""
    base = work.base(student)
    with work.progress("training", total=0, unit="steps") as advance:
        done = 0

        def count(steps: int, total: int) -> None:
            nonlocal done
            advance(steps - done, total=total)
            done = steps

        result = train_worker(
            conversations,
            options,
            student=student,
            base=base,
            folder=work.folder,
            tokens=work.run / TOKENS,
            log_file=work.run / RUN_LOG,
            seed=work.seed,
            style=style,
            # Rows that a list or a generator holds have no name, and their tokens are made every time.
            data_key=getattr(conversations, "key", None),
            on_progress=count,
            is_redone=work.is_redone,
        )
    yield Checkpoint(
        path=_relative(result.checkpoint, work.run),
        fingerprint=weights_fingerprint(result.checkpoint),
        rows=result.rows,
        dropped=result.dropped,
        supervised_tokens=result.supervised_tokens,
        steps=result.steps,
    )


def _relative(checkpoint: Path, run: Path) -> str:
    """Return a path that moves with the run; an `output_dir` elsewhere stays where it is."""
    whole = checkpoint.resolve()
    return str(whole.relative_to(run.resolve())) if whole.is_relative_to(run.resolve()) else str(whole)
