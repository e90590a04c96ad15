"""What a training starts with: its rows on disk, its job, and what an earlier start left; made before any worker."""

import json
import logging
import os
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.errors import UserError
from cotdistill.nodes.meeting import Meeting
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import key_of
from cotdistill.storage.run_folder import METRICS, POINTS
from cotdistill.students import Student
from cotdistill.training.earlier import (
    asked_for,
    depends_on,
    note_parts,
    refuse_other,
    set_other_aside,
    weights_of_other,
)
from cotdistill.training.job import TRAINING, Job
from cotdistill.training.launch.launch import World, world
from cotdistill.training.on_nodes import agree, agree_on_start
from cotdistill.training.passes import repeated
from cotdistill.training.prepare.new_tokens import add_tokens
from cotdistill.training.prepare.prepare import Prepared
from cotdistill.training.prepare.seq2seq_tokens import encoder_of
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from cotdistill.training.prepared_rows import move_in, prepare_rows
from cotdistill.training.training import Training, TrainingSet

log = logging.getLogger(__name__)

Parts = dict[str, Any]  # Any: JSON values


class Start(NamedTuple):
    """A training that can start."""

    job: Job
    place: World
    prepared: Prepared
    is_done: bool
    """Whether an earlier start finished it."""


def set_up(training: Training, rows: TrainingSet, place: World) -> Start:
    """Return the start of a training in its place, everything that its worker reads on disk. Raises: UserError."""
    options, meeting = training.options, training.meeting
    student: Student = training.student.build()
    tokenizer = load_tokenizer(training.base, template=options.template, origin=student.origin)
    new_tokens = add_tokens(tokenizer, options.new_special_tokens)
    made = prepare_rows(training, rows, tokenizer)
    encoder = encoder_of(tokenizer)
    parts = depends_on(
        options,
        training.student,
        base=training.base,
        seed=training.seed,
        place=place,
        encoder=encoder,
        rows=made.files,
        new_tokens=new_tokens,
    )
    job = _job(training, parts, encoder)
    done = read_done(job)
    is_done = done is not None and done["key"] == job.key
    if meeting is not None and meeting.has_own_folders:
        job, is_done = _in_own_folder(job, parts, meeting, is_done=is_done)
    if not is_done:
        _refuse_used(training)
        if line := repeated(options, place, made.prepared.written.rows):
            log.warning("%s that are learned from", line)
        job = _beside_other(job, parts, training, place)
        move_in(made, tokenizer, job)
        note_parts(job, parts)
        write_text(training.job_file, job.model_dump_json(indent=1) + "\n")
    if meeting is not None:
        _, place = agree_on_start(meeting, None if is_done else training.job_file, place)
    return Start(job, place, made.prepared, is_done)


def hear_of_start(training: Training) -> tuple[Path | None, World]:
    """Return the job that node 0 has prepared, None where it is done, and where to work on it. Raises: UserError."""
    assert training.meeting is not None
    told, place = agree_on_start(training.meeting, None, find_place(training))
    if told is not None and not told.exists():
        raise UserError("node 0's job is not seen here", str(told), "start every node in the same working directory")
    return told, place


def read_done(job: Job) -> Parts | None:
    """Return what the folder of the weights says of its training."""
    try:
        done: Parts = json.loads((job.output / TRAINING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return done


def find_place(training: Training) -> World:
    """Return where to train; on several machines all are asked for the same. Raises: UserError."""
    _check_output(training.output, training.folder)
    training.options.read_deepspeed()
    place = world(os.environ, processes=training.options.num_processes)
    if training.meeting is not None:
        asked = asked_for(training.options, training.student, seed=training.seed, place=place)
        agree(training.meeting, "asked", asked)
    return place


def _job(training: Training, parts: Parts, encoder: Encoder) -> Job:
    """Return the job, keyed by all that its weights depend on."""
    options, folder = training.options, training.folder
    key, weights = key_of(parts)[:12], options.loss_weights
    return Job(
        key=key,
        base=training.base,
        student=training.student.model_dump(mode="json"),
        loss=options.loss.model_dump(mode="json"),
        part_weights=(weights.rationale, weights.answer) if options.weighs_parts else None,
        work=folder / "work" / key,
        output=training.output,
        metrics=folder / METRICS,
        points=folder / POINTS if training.keeps_points else None,
        stop_ids=encoder.stop_ids,
        pad_id=encoder.pad_id,
        seed=parts["seed"],
        new_tokens=parts["new_tokens"],
        keep_checkpoints=options.save_total_limit or 0,
        flash_attn=options.flash_attn,
        bin_tokens=options.bin_tokens,
        arguments=options.trainer_arguments(),
    )


def _in_own_folder(
    job: Job,
    parts: Parts,
    meeting: Meeting,
    *,
    is_done: bool,
) -> tuple[Job, bool]:
    """Return the job of a node that keeps its checkpoints itself, and whether node 0 has its weights already."""
    agree(meeting, "parts", parts)
    job = job.model_copy(update={"arguments": job.arguments | {"save_on_each_node": True}})
    return job, meeting.gather("done", is_done)[0]


def _beside_other(job: Job, parts: Parts, training: Training, place: World) -> Job:
    """Return the job as it starts beside checkpoints of a training that differs. Raises: UserError."""
    if training.options.resume == "weights":
        job = job.model_copy(update={"weights_from": weights_of_other(job)})
    else:
        if training.is_redone and (kept := set_other_aside(job)):
            log.info("the checkpoints of the earlier training are kept in %s", kept)
        refuse_other(job, parts, nodes=place.nodes)
    if training.meeting is not None and training.meeting.has_own_folders:
        start = job.weights_from and job.weights_from.relative_to(training.folder)
        agree(training.meeting, "weights", {"weights_from": str(start)})
    return job


def _check_output(output: Path, folder: Path) -> None:
    """Refuse a folder of weights that would replace the run. Raises: UserError."""
    if any(place.resolve().is_relative_to(output.resolve()) for place in (Path.cwd(), folder)):
        raise UserError(f"{output} holds the run itself", "train.output_dir", "name a folder for the weights alone")


def _refuse_used(training: Training) -> None:
    """Refuse a folder of the user's that is not empty, unless it may be moved aside. Raises: UserError."""
    options, output = training.options, training.output
    if options.output_dir and not options.overwrite_output_dir and output.exists() and any(output.iterdir()):
        raise UserError(
            f"{output} is not empty", "train.output_dir", "`overwrite_output_dir: true` moves what is there aside"
        )
