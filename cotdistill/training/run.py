"""One training from conversations to weights, as the train stage asks for it.

4-train/  checkpoint/  metrics.jsonl  job.json  dropped.jsonl  shortened.jsonl (where any row was)  work/<key>/ (tokens
          and points to go on from, while it lasts)
tokens/   token files of the run's trainings, used again while rows, tokenizer, template and length policy are the same
"""

import contextlib
import logging
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cotdistill.errors import WorkerFailed
from cotdistill.storage.room import room_in
from cotdistill.training.job import TRAINING, Job
from cotdistill.training.launch.launch import OnProgress, Worker, World, started
from cotdistill.training.memory import advice
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.prepare import Prepared
from cotdistill.training.starting import find_place, hear_of_start, read_done, set_up
from cotdistill.training.training import Training, TrainingSet
from cotdistill.training.worker.checkpoints import prune

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What a training made."""

    checkpoint: Path
    rows: int
    """Conversations learned from."""
    dropped: int
    """Conversations left out as too long."""
    supervised_tokens: int
    """Tokens of the answers of all rows, once."""
    steps: int
    seconds: float
    """Time in training steps."""
    points: tuple[tuple[int, Path], ...] = ()
    """Step and folder of every student that was kept on the way, in order."""


def train(training: Training, rows: TrainingSet, *, on_progress: OnProgress) -> TrainResult | None:
    """Train a student; return where the weights are, None on a node without them.

    The same call goes on where a killed one stopped, and returns at once where one had finished. Checkpoints of a call
    that differs in what the weights depend on are refused; where it `is_redone` they are kept beside.
    Raises: UserError, WorkerFailed, Interrupted.
    """
    place = find_place(training)
    with contextlib.ExitStack() as ends:
        is_new = training.meeting is None and not (training.output / TRAINING).exists()
        worker = _start_early(training, place, ends) if is_new else None
        with room_in(training.folder):
            start = set_up(training, rows, place)
        if not start.is_done:
            worker = worker or ends.enter_context(started(training.job_file, world=start.place, log=training.log_file))
            try:
                worker.run(on_progress=on_progress, meeting=training.meeting)
            except WorkerFailed as failed:
                raise _explained(failed, start.prepared, training.options) from None
    _clean_up(start.job, training.folder)
    if start.place.node_rank:
        log.info("the weights are on node 0, in its %s", start.job.output)
        return None
    return _result(start.job, start.prepared)


def join(training: Training, *, on_progress: OnProgress) -> None:
    """Take part in the training that node 0 prepares in a folder that this node sees too.

    Raises: UserError, WorkerFailed, Interrupted.
    """
    told, place = hear_of_start(training)
    if told is None:
        return
    job = Job.model_validate_json(told.read_bytes())
    log_file = job.logs / f"node-{place.node_rank}.log"
    with started(told, world=place, log=log_file) as worker:
        worker.run(on_progress=on_progress, meeting=training.meeting)
    log.info("the weights are in %s", job.output)


def _start_early(training: Training, place: World, ends: contextlib.ExitStack) -> Worker:
    """Start the worker of a training on this machine alone: it imports while the rows are made."""
    training.folder.mkdir(parents=True, exist_ok=True)
    training.job_file.unlink(missing_ok=True)  # of an earlier start
    return ends.enter_context(started(training.job_file, world=place, log=training.log_file))


def _explained(failed: WorkerFailed, prepared: Prepared, options: TrainOptions) -> WorkerFailed:
    """Return the failure with what to change first where the kernel killed a worker, which is done for memory."""
    if failed.exit_code != 128 + signal.SIGKILL:
        return failed
    longest = min(max(prepared.lengths), options.cutoff_len)
    return WorkerFailed(failed.message, exit_code=failed.exit_code, hint=f"{failed.hint}; {advice(longest)}")


def _clean_up(job: Job, folder: Path) -> None:
    """Remove what only a training that goes on needs; points that were asked for stay."""
    if job.keep_checkpoints:
        prune(job.checkpoints, keep=job.keep_checkpoints)
        for part in (job.tokens, job.evaluation, job.tokenizer):
            shutil.rmtree(part, ignore_errors=True)
    else:
        shutil.rmtree(folder / "work", ignore_errors=True)


def _result(job: Job, prepared: Prepared) -> TrainResult:
    done = read_done(job)
    assert done is not None, "the worker ended well and saved nothing"
    return TrainResult(
        checkpoint=job.output,
        rows=prepared.written.rows,
        dropped=prepared.dropped,
        supervised_tokens=prepared.written.supervised_tokens,
        steps=done["steps"],
        seconds=done["seconds"],
        points=tuple(_points(job)),
    )


def _points(job: Job) -> Iterator[tuple[int, Path]]:
    """Yield the students that this training left on the way; those of an earlier one that differs are not its own."""
    if job.points is None:
        return
    found = [path for path in job.points.glob("step-*") if path.name.removeprefix("step-").isdecimal()]
    for folder in sorted(found, key=lambda path: int(path.name.removeprefix("step-"))):
        done = read_done(job.model_copy(update={"output": folder}))
        if done is not None and done["key"] == job.key:
            yield done["steps"], folder
