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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cotdistill.errors import UserError, WorkerFailed
from cotdistill.losses import TopKLoss
from cotdistill.records import Conversation
from cotdistill.registry import KindOptions
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import key_of
from cotdistill.storage.run_folder import DROPPED, JOB, METRICS, SHORTENED, TOP_K
from cotdistill.styles import Style
from cotdistill.training.earlier import depends_on, note_parts, refuse_other, set_other_aside
from cotdistill.training.held_out import EVALUATION, hold_out, link
from cotdistill.training.job import TRAINING, Job
from cotdistill.training.launch.launch import OnProgress, run_worker, world
from cotdistill.training.memory import advice
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.new_tokens import add_tokens
from cotdistill.training.prepare.prepare import Prepared, prepare
from cotdistill.training.prepare.seq2seq_tokens import encoder_of
from cotdistill.training.prepare.teacher_topk import prepare_topk
from cotdistill.training.prepare.tokenfile import FILES, Written
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from cotdistill.training.prepare.topk_file import TOPK_FILES
from cotdistill.training.worker.checkpoints import prune

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

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
) -> TrainResult:
    """Train the student `base` (hub name or folder) and return where the weights are.

    `tokens` is a folder for token files that all trainings of a run share; `data_key` tells these conversations from
    others: with it, tokens that were made from the same ones are used again. `style` tells rationale from answer
    where long rationales are shortened, or weigh otherwise in the loss. `logprobs` is the file with the
    log-probabilities of the teacher that said them, for a loss that compares with it and names no other; None: there
    is none. `evaluation` are the conversations of `eval_dataset`.

    The same call goes on where a killed one stopped, and returns at once where one had finished. Checkpoints of a call
    that differs in what the weights depend on are refused; where it `is_redone` they are kept beside.
    Raises: UserError, WorkerFailed, Interrupted.
    """
    output = Path(options.output_dir) if options.output_dir else folder / "checkpoint"
    _check_output(output, folder)
    options.read_deepspeed()
    place = world(os.environ, processes=options.num_processes)
    tokenizer = load_tokenizer(
        base, template=options.template, trust_remote_code=getattr(student, "trust_remote_code", False)
    )
    new_tokens = add_tokens(tokenizer, options.new_special_tokens)
    prepared = prepare(conversations, tokenizer, options, style=style, folder=tokens, data_key=data_key)
    _show_what_changed(prepared, folder)
    prepared.check(options)
    if options.val_size:
        prepared = hold_out(prepared, options.val_size, seed=seed)
    looked_at = prepared.folder / EVALUATION if options.val_size else None
    if evaluation is not None:
        others = prepare(evaluation, tokenizer, options, style=style, folder=tokens / EVALUATION, data_key=None)
        others.check(options)
        looked_at = others.folder
    top_k = _prepare_top_k(prepared, tokenizer, options, logprobs, folder)
    encoder = encoder_of(tokenizer)
    rows = [*(prepared.folder / name for name in FILES), *top_k]
    parts = depends_on(
        options,
        student,
        base=base,
        seed=seed,
        place=place,
        encoder=encoder,
        rows=rows,
        new_tokens=new_tokens,
    )
    job = _job(options, student, parts, base=base, output=output, folder=folder, encoder=encoder)
    if not _is_done(job):
        _refuse_used(options, output)
        if is_redone and (kept := set_other_aside(job)):
            log.info("the checkpoints of the earlier training are kept in %s", kept)
        refuse_other(job, parts, nodes=place.nodes)
        _move_in(rows, tokenizer, job, evaluation=looked_at)
        note_parts(job, parts)
        write_text(folder / JOB, job.model_dump_json(indent=1) + "\n")
        try:
            run_worker(folder / JOB, world=place, log=log_file, on_progress=on_progress)
        except WorkerFailed as failed:
            raise _explained(failed, prepared, options) from None
    _clean_up(job, folder)
    return _result(job, prepared.written, dropped=prepared.dropped)


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


def _show_what_changed(prepared: Prepared, folder: Path) -> None:
    """Put what was left out, and what was shortened where any was, into the stage's own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DROPPED, SHORTENED):
        (folder / name).unlink(missing_ok=True)
        if name == DROPPED or prepared.shortened:
            shutil.copyfile(prepared.folder / name, folder / name)


def _prepare_top_k(
    prepared: Prepared,
    tokenizer: "PreTrainedTokenizerBase",
    options: TrainOptions,
    logprobs: Path | None,
    folder: Path,
) -> list[Path]:
    """Return the files of the teacher's distributions where the loss compares with them, else none.

    How many tokens they reach is put into the stage's own folder. Raises: UserError.
    """
    (folder / TOP_K).unlink(missing_ok=True)
    loss = options.loss.build()
    if not isinstance(loss, TopKLoss):
        return []
    made = prepare_topk(prepared.folder, tokenizer, loss.logprobs or logprobs, k=loss.k)
    write_text(folder / TOP_K, made.counts.model_dump_json(indent=1) + "\n")
    return [made.folder / name for name in TOPK_FILES]


def _move_in(rows: Sequence[Path], tokenizer: "PreTrainedTokenizerBase", job: Job, *, evaluation: Path | None) -> None:
    """Put tokens and tokenizer beside the points that an earlier start of the same job left."""
    job.work.mkdir(parents=True, exist_ok=True)
    for part in (job.tokens, job.evaluation, job.tokenizer):
        shutil.rmtree(part, ignore_errors=True)
    looked_at = [evaluation / name for name in FILES] if evaluation is not None else []
    for paths, target in ((rows, job.tokens), (looked_at, job.evaluation)):
        if paths:
            target.mkdir()
        for path in paths:
            link(path, target / path.name)
    tokenizer.save_pretrained(job.tokenizer)


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
