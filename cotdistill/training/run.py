"""One training from conversations to weights, as the train stage asks for it.

4-train/  checkpoint/  metrics.jsonl  job.json  dropped.jsonl  work/<key>/ (tokens and points to go on from, while
          it lasts)
"""

import importlib.util
import json
import logging
import os
import shutil
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError
from cotdistill.records import Conversation, Rejected
from cotdistill.registry import KindOptions
from cotdistill.rows import AtomicFile, write_text
from cotdistill.runs import file_sha256, key_of
from cotdistill.training.job import TRAINING, Job
from cotdistill.training.launch import OnProgress, World, run_worker, world
from cotdistill.training.options import TrainOptions
from cotdistill.training.tokenfile import ROWS, TOKENS, Written, write_rows
from cotdistill.training.tokens import Encoder, TokenRow, load_tokenizer, tokenize

log = logging.getLogger(__name__)

OPERATIONAL_ARGUMENTS = ("logging_steps", "save_steps")
"""Arguments that leave the weights as they are."""


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


@dataclass
class Lengths:
    """Rows as they pass: how long they are, and which are left out."""

    cutoff_len: int
    tokens: "array[int]" = field(default_factory=lambda: array("q"))
    dropped: int = 0

    def kept(self, rows: Iterable[TokenRow | Rejected], dropped: AtomicFile) -> Iterator[TokenRow]:
        """Yield the rows that are trained on and write the others to `dropped`."""
        for row in rows:
            if isinstance(row, Rejected):
                self.dropped += 1
                self.tokens.append(int(row.reason.split()[1]))
                dropped.write_row(row)
            else:
                self.tokens.append(len(row.input_ids))
                yield row

    def check(self, options: TrainOptions) -> None:
        """Raise UserError where nothing is left, or too much was left out; warn of any row left out."""
        total = len(self.tokens)
        if total == 0:
            raise UserError("there is nothing to train on", "train", "look into the rejected rows of the stages before")
        if not self.dropped:
            return
        enough = sorted(self.tokens)[-(-total * 99 // 100) - 1]
        message = f"{self.dropped} of {total} rows are longer than cutoff_len {self.cutoff_len}"
        hint = f"`cutoff_len: {enough}` keeps 99 % of them"
        allowed = 0.0 if options.on_overlong == "raise" else options.max_dropped
        if self.dropped > allowed * total or self.dropped == total:
            raise UserError(f"{message}; at most {allowed:.0%} may be", "train.cutoff_len", hint)
        log.warning("%s and are left out: %s", message, hint)


def train(
    conversations: Iterable[Conversation],
    options: TrainOptions,
    *,
    student: KindOptions,
    base: str,
    folder: Path,
    log_file: Path,
    seed: int,
    on_progress: OnProgress,
) -> TrainResult:
    """Train the student `base` (hub name or folder) and return where the weights are.

    The same call goes on where a killed one stopped, and returns at once where one had finished.
    Raises: UserError, WorkerFailed, Interrupted.
    """
    output = Path(options.output_dir) if options.output_dir else folder / "checkpoint"
    _check_files(options, output, folder)
    place = world(os.environ, processes=options.num_processes)
    tokenizer = load_tokenizer(
        base, template=options.template, trust_remote_code=getattr(student, "trust_remote_code", False)
    )
    fresh = folder / "work" / "new"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "tokens").mkdir(parents=True)
    lengths = Lengths(options.cutoff_len)
    with AtomicFile(folder / "dropped.jsonl") as dropped:
        rows = tokenize(conversations, tokenizer, cutoff_len=options.cutoff_len)
        written = write_rows(lengths.kept(rows, dropped), fresh / "tokens")
    lengths.check(options)
    tokenizer.save_pretrained(fresh / "tokenizer")
    job = _job(
        options, student, base=base, output=output, folder=folder, seed=seed, place=place, encoder=Encoder(tokenizer)
    )
    if not _is_done(job):
        _refuse_used(options, output)
        _move_in(fresh, job)
        write_text(folder / "job.json", job.model_dump_json(indent=1) + "\n")
        run_worker(folder / "job.json", world=place, log=log_file, on_progress=on_progress)
    _clean_up(job, folder)
    return _result(job, written, dropped=lengths.dropped)


def _job(
    options: TrainOptions,
    student: KindOptions,
    *,
    base: str,
    output: Path,
    folder: Path,
    seed: int,
    place: World,
    encoder: Encoder,
) -> Job:
    """Return the job, keyed by all that its weights depend on."""
    arguments = options.trainer_arguments()
    fresh = folder / "work" / "new"
    depends_on = {
        "base": base,
        "student": student.key_options(),
        "seed": seed,
        "world": [place.nodes, place.processes],
        "arguments": {k: v for k, v in arguments.items() if k not in OPERATIONAL_ARGUMENTS},
        "data": [file_sha256(fresh / "tokens" / name) for name in (TOKENS, ROWS)],
        "stop": encoder.stop_ids,
        "template": encoder.tokenizer.chat_template,
    }
    key = key_of(depends_on)[:12]
    return Job(
        key=key,
        base=base,
        student=student.model_dump(mode="json"),
        work=folder / "work" / key,
        output=output,
        metrics=folder / "metrics.jsonl",
        stop_ids=encoder.stop_ids,
        pad_id=encoder.pad_id,
        seed=seed,
        keep_checkpoints=options.save_total_limit or 0,
        arguments=arguments,
    )


def _check_files(options: TrainOptions, output: Path, folder: Path) -> None:
    """Refuse what would fail after the model is loaded. Raises: UserError."""
    if options.deepspeed is not None:
        config = Path(options.deepspeed)
        try:
            json.loads(config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{config}: {error}", "train.deepspeed") from None
        if importlib.util.find_spec("deepspeed") is None:
            raise UserError("deepspeed is not installed", "train.deepspeed", "pip install 'cotdistill[train]'")
    if any(place.resolve().is_relative_to(output.resolve()) for place in (Path.cwd(), folder)):
        raise UserError(f"{output} holds the run itself", "train.output_dir", "name a folder for the weights alone")


def _refuse_used(options: TrainOptions, output: Path) -> None:
    """Refuse a folder of the user's that is not empty, unless it may be moved aside. Raises: UserError."""
    if options.output_dir and not options.overwrite_output_dir and output.exists() and any(output.iterdir()):
        raise UserError(
            f"{output} is not empty", "train.output_dir", "`overwrite_output_dir: true` moves what is there aside"
        )


def _done(job: Job) -> dict[str, Any] | None:  # Any: JSON values
    """Return what the folder of the weights says of its training."""
    try:
        done: dict[str, Any] = json.loads((job.output / TRAINING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return done


def _is_done(job: Job) -> bool:
    done = _done(job)
    return done is not None and done["key"] == job.key


def _move_in(fresh: Path, job: Job) -> None:
    """Put new tokens and tokenizer beside the points that an earlier start of the same job left."""
    job.work.mkdir(exist_ok=True)
    for part in ("tokens", "tokenizer"):
        shutil.rmtree(job.work / part, ignore_errors=True)
        (fresh / part).rename(job.work / part)


def _clean_up(job: Job, folder: Path) -> None:
    """Remove what only a training that goes on needs; points that were asked for stay."""
    shutil.rmtree(folder / "work" / "new", ignore_errors=True)
    if job.keep_checkpoints:
        for part in (job.tokens, job.tokenizer):
            shutil.rmtree(part, ignore_errors=True)
    else:
        shutil.rmtree(folder / "work")


def _result(job: Job, written: Written, *, dropped: int) -> TrainResult:
    done = _done(job)
    assert done is not None, "the worker ended well and saved nothing"
    return TrainResult(
        checkpoint=job.output,
        rows=written.rows,
        dropped=dropped,
        supervised_tokens=written.supervised_tokens,
        steps=done["steps"],
        seconds=done["seconds"],
    )
