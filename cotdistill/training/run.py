"""One training from conversations to weights, as the train stage asks for it.

4-train/  checkpoint/  metrics.jsonl  job.json  dropped.jsonl  shortened.jsonl (where any row was)  work/<key>/ (tokens
          and points to go on from, while it lasts)
tokens/   token files of the run's trainings, used again while rows, tokenizer, template and length policy are the same
"""

import json
import logging
import os
import shutil
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cotdistill.errors import UserError, WorkerFailed
from cotdistill.nodes.meeting import Meeting
from cotdistill.records import Conversation
from cotdistill.registry import KindOptions
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import key_of
from cotdistill.storage.run_folder import JOB, METRICS
from cotdistill.styles import Style
from cotdistill.training.earlier import (
    asked_for,
    depends_on,
    note_parts,
    refuse_other,
    set_other_aside,
    weights_of_other,
)
from cotdistill.training.job import TRAINING, Job
from cotdistill.training.launch.launch import OnProgress, World, run_worker, world
from cotdistill.training.memory import advice
from cotdistill.training.on_nodes import agree, agree_on_start
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.new_tokens import add_tokens
from cotdistill.training.prepare.prepare import Prepared
from cotdistill.training.prepare.seq2seq_tokens import encoder_of
from cotdistill.training.prepare.tokenfile import Written
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from cotdistill.training.prepared_rows import move_in, prepare_rows
from cotdistill.training.worker.checkpoints import prune

if TYPE_CHECKING:
    pass

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


def train(
    conversations: Iterable[Conversation],
    options: TrainOptions,
    *,
    student: KindOptions,
    base: str,
    folder: Path,
    tokens: Path,
    log_file: Path,
    seed: int,
    on_progress: OnProgress,
    style: Style | None = None,
    data_key: str | None = None,
    logprobs: Path | None = None,
    evaluation: Iterable[Conversation] | None = None,
    is_redone: bool = False,
    meeting: Meeting | None = None,
) -> TrainResult | None:
    """Train the student `base` (hub name or folder); return where the weights are, None on a node without them.

    `tokens` is a folder for token files that all trainings of a run share; `data_key` tells these conversations from
    others: with it, tokens that were made from the same ones are used again. `style` tells rationale from answer
    where long rationales are shortened, or weigh otherwise in the loss. `logprobs` is the file with the
    log-probabilities of the teacher that said them, for a loss that compares with it and names no other; None: there
    is none. `evaluation` are the conversations of `eval_dataset`. `meeting` are the
    other machines, where there are several.

    The same call goes on where a killed one stopped, and returns at once where one had finished. Checkpoints of a call
    that differs in what the weights depend on are refused; where it `is_redone` they are kept beside.
    Raises: UserError, WorkerFailed, Interrupted.
    """
    output = Path(options.output_dir) if options.output_dir else folder / "checkpoint"
    _check_output(output, folder)
    options.read_deepspeed()
    place = world(os.environ, processes=options.num_processes)
    if meeting is not None:
        agree(meeting, "asked", asked_for(options, student, seed=seed, place=place))
    tokenizer = load_tokenizer(
        base, template=options.template, trust_remote_code=getattr(student, "trust_remote_code", False)
    )
    new_tokens = add_tokens(tokenizer, options.new_special_tokens)
    rows = prepare_rows(
        conversations,
        tokenizer,
        options,
        style=style,
        folder=folder,
        tokens=tokens,
        data_key=data_key,
        logprobs=logprobs,
        evaluation=evaluation,
        seed=seed,
    )
    encoder = encoder_of(tokenizer)
    parts = depends_on(
        options,
        student,
        base=base,
        seed=seed,
        place=place,
        encoder=encoder,
        rows=rows.files,
        new_tokens=new_tokens,
    )
    job = _job(options, student, parts, base=base, output=output, folder=folder, encoder=encoder)
    is_done = _is_done(job)
    if meeting is not None and meeting.has_own_folders:
        job, is_done = _in_own_folder(job, parts, meeting, is_done=is_done)
    if not is_done:
        _refuse_used(options, output)
        job = _beside_other(job, parts, options, place=place, is_redone=is_redone)
        if meeting is not None and meeting.has_own_folders:
            agree(meeting, "weights", {"weights_from": str(job.weights_from and job.weights_from.relative_to(folder))})
        move_in(rows, tokenizer, job)
        note_parts(job, parts)
        write_text(folder / JOB, job.model_dump_json(indent=1) + "\n")
    if meeting is not None:
        _, place = agree_on_start(meeting, None if is_done else folder / JOB, place)
    if not is_done:
        try:
            run_worker(folder / JOB, world=place, log=log_file, on_progress=on_progress, meeting=meeting)
        except WorkerFailed as failed:
            raise _explained(failed, rows.prepared, options) from None
    _clean_up(job, folder)
    if place.node_rank:
        log.info("the weights are on node 0, in its %s", output)
        return None
    return _result(job, rows.prepared.written, dropped=rows.prepared.dropped)


def _in_own_folder(
    job: Job,
    parts: dict[str, Any],  # Any: JSON values
    meeting: Meeting,
    *,
    is_done: bool,
) -> tuple[Job, bool]:
    """Return the job of a node that keeps its checkpoints itself, and whether node 0 has its weights already."""
    agree(meeting, "parts", parts)
    job = job.model_copy(update={"arguments": job.arguments | {"save_on_each_node": True}})
    return job, meeting.gather("done", is_done)[0]


def _beside_other(
    job: Job,
    parts: dict[str, Any],  # Any: JSON values
    options: TrainOptions,
    *,
    place: World,
    is_redone: bool,
) -> Job:
    """Return the job as it starts beside checkpoints of a training that differs. Raises: UserError."""
    if options.resume == "weights":
        return job.model_copy(update={"weights_from": weights_of_other(job)})
    if is_redone and (kept := set_other_aside(job)):
        log.info("the checkpoints of the earlier training are kept in %s", kept)
    refuse_other(job, parts, nodes=place.nodes)
    return job


def join(
    options: TrainOptions,
    student: KindOptions,
    *,
    meeting: Meeting,
    seed: int,
    on_progress: OnProgress,
) -> None:
    """Take part in the training that node 0 prepares in a folder that this node sees too.

    Raises: UserError, WorkerFailed, Interrupted.
    """
    place = world(os.environ, processes=options.num_processes)
    agree(meeting, "asked", asked_for(options, student, seed=seed, place=place))
    told, place = agree_on_start(meeting, None, place)
    if told is None:
        return
    if not told.exists():
        raise UserError("node 0's job is not seen here", str(told), "start every node in the same working directory")
    job = Job.model_validate_json(told.read_bytes())
    log_file = job.logs / f"node-{place.node_rank}.log"
    run_worker(told, world=place, log=log_file, on_progress=on_progress, meeting=meeting)
    log.info("the weights are in %s", job.output)


def _job(
    options: TrainOptions,
    student: KindOptions,
    parts: dict[str, Any],  # Any: JSON values
    *,
    base: str,
    output: Path,
    folder: Path,
    encoder: Encoder,
) -> Job:
    """Return the job, keyed by all that its weights depend on."""
    key, weights = key_of(parts)[:12], options.loss_weights
    return Job(
        key=key,
        base=base,
        student=student.model_dump(mode="json"),
        loss=options.loss.model_dump(mode="json"),
        part_weights=(weights.rationale, weights.answer) if options.weighs_parts else None,
        work=folder / "work" / key,
        output=output,
        metrics=folder / METRICS,
        stop_ids=encoder.stop_ids,
        pad_id=encoder.pad_id,
        seed=parts["seed"],
        new_tokens=parts["new_tokens"],
        keep_checkpoints=options.save_total_limit or 0,
        flash_attn=options.flash_attn,
        bin_tokens=options.bin_tokens,
        arguments=options.trainer_arguments(),
    )


def _explained(failed: WorkerFailed, prepared: Prepared, options: TrainOptions) -> WorkerFailed:
    """Return the failure with what to change first where the kernel killed a worker, which is done for memory."""
    if failed.exit_code != 128 + signal.SIGKILL:
        return failed
    longest = min(max(prepared.lengths), options.cutoff_len)
    return WorkerFailed(failed.message, exit_code=failed.exit_code, hint=f"{failed.hint}; {advice(longest)}")


def _check_output(output: Path, folder: Path) -> None:
    """Refuse a folder of weights that would replace the run. Raises: UserError."""
    if any(place.resolve().is_relative_to(output.resolve()) for place in (Path.cwd(), folder)):
        raise UserError(f"{output} holds the run itself", "train.output_dir", "name a folder for the weights alone")


def _refuse_used(options: TrainOptions, output: Path) -> None:
    """Refuse a folder of the user's that is not empty, unless it may be moved aside. Raises: UserError."""
    if options.output_dir and not options.overwrite_output_dir and output.exists() and any(output.iterdir()):
        raise UserError(
            f"{output} is not empty", "train.output_dir", "`overwrite_output_dir: true` moves what is there aside"
        )


def _read_done(job: Job) -> dict[str, Any] | None:  # Any: JSON values
    """Return what the folder of the weights says of its training."""
    try:
        done: dict[str, Any] = json.loads((job.output / TRAINING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return done


def _is_done(job: Job) -> bool:
    done = _read_done(job)
    return done is not None and done["key"] == job.key


def _clean_up(job: Job, folder: Path) -> None:
    """Remove what only a training that goes on needs; points that were asked for stay."""
    if job.keep_checkpoints:
        prune(job.checkpoints, keep=job.keep_checkpoints)
        for part in (job.tokens, job.evaluation, job.tokenizer):
            shutil.rmtree(part, ignore_errors=True)
    else:
        shutil.rmtree(folder / "work", ignore_errors=True)


def _result(job: Job, written: Written, *, dropped: int) -> TrainResult:
    done = _read_done(job)
    assert done is not None, "the worker ended well and saved nothing"
    return TrainResult(
        checkpoint=job.output,
        rows=written.rows,
        dropped=dropped,
        supervised_tokens=written.supervised_tokens,
        steps=done["steps"],
        seconds=done["seconds"],
    )
