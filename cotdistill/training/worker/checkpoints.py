"""Points that a killed training goes on from.

transformers writes `checkpoint-<step>/` file by file and resumes from the highest number, whole or not; here one
counts only when it holds COMPLETE.json, written after every process has written its part, and is as that file says:
{"key": "9c…", "step": 40, "world_size": 2, "files": {"optimizer.pt": {"size_bytes": 8192, "sha256": "…"}}}
"""

import logging
import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path

from pydantic import ValidationError

from cotdistill.records import Record
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import file_sha256

log = logging.getLogger(__name__)

COMPLETE = "COMPLETE.json"
KEPT = 2
"""Whole checkpoints that stay while a training runs: where the newest is damaged, the other one is gone on from."""
READERS = 8
"""Threads that hash: sha256 lets other threads run, and eight of them read as fast as most disks."""


class SavedFile(Record):
    """A file of a checkpoint as it was written."""

    size_bytes: int
    sha256: str


class Complete(Record):
    """What COMPLETE.json says."""

    key: str
    """Key of the job."""
    step: int
    world_size: int
    """Processes on all machines; optimiser state is in as many parts."""
    files: dict[str, SavedFile]
    """By path in the checkpoint."""


def mark_complete(folder: Path, step: int, *, key: str, world_size: int) -> None:
    """Declare the checkpoint of a step whole: all of it is on disk before COMPLETE.json is."""
    checkpoint = folder / f"checkpoint-{step}"
    (checkpoint / COMPLETE).unlink(missing_ok=True)
    _name_deepspeeds_part(checkpoint)
    paths = _files(checkpoint)
    for path in (*paths, *{path.parent for path in paths}):
        sync(path)
    saved = {
        path.relative_to(checkpoint).as_posix(): SavedFile(size_bytes=path.stat().st_size, sha256=sha256)
        for path, sha256 in zip(paths, _hashes(paths), strict=True)
    }
    said = Complete(key=key, step=step, world_size=world_size, files=saved)
    write_text(checkpoint / COMPLETE, said.model_dump_json(indent=1) + "\n")
    sync(checkpoint)
    sync(folder)


def _name_deepspeeds_part(checkpoint: Path) -> None:
    """Write DeepSpeed's `latest` where it is missing: rank 0 alone writes it, and every node reads its own."""
    latest = checkpoint / "latest"
    for part in checkpoint.glob("global_step*"):
        if not latest.exists():
            write_text(latest, part.name)


def newest_whole(folder: Path, *, key: str, world_size: int, up_to: float = inf) -> Path | None:
    """Return the checkpoint of the highest step, `up_to` a step, that is as it was written; None where there is none.

    Those of higher steps are named in the log, and what is damaged is renamed to `checkpoint-<step>.damaged`.
    """
    for checkpoint in _by_step(folder):
        if step_of(checkpoint) > up_to:
            continue
        if not (checkpoint / COMPLETE).exists():
            log.warning("%s was not written to its end: it has no %s", checkpoint, COMPLETE)
        elif fault := find_fault(checkpoint, key=key, world_size=world_size):
            log.warning("%s/%s; it is kept as %s", checkpoint, fault, _set_aside(checkpoint).name)
        else:
            return checkpoint
    return None


def find_fault(checkpoint: Path, *, key: str, world_size: int) -> str | None:
    """Return the first file that is not as it was written, and what is wrong; None where all are."""
    try:
        said = Complete.model_validate_json((checkpoint / COMPLETE).read_bytes())
    except ValidationError:
        return f"{COMPLETE} is damaged"
    if (said.key, said.step, said.world_size) != (key, _step(checkpoint), world_size):
        return f"{COMPLETE} is of another training or step"
    paths = {path.relative_to(checkpoint).as_posix(): path for path in _files(checkpoint)}
    for name in sorted(said.files.keys() | paths.keys()):
        if name not in paths:
            return f"{name} is missing"
        if name not in said.files:
            return f"{name} was added"
        if (size := paths[name].stat().st_size) != said.files[name].size_bytes:
            return f"{name} has {size:,} bytes instead of {said.files[name].size_bytes:,}"
    names = sorted(paths)
    hashes = zip(names, _hashes([paths[name] for name in names]), strict=True)
    return next((f"{name} has another content" for name, sha256 in hashes if sha256 != said.files[name].sha256), None)


def prune(folder: Path, *, keep: int) -> None:
    """Remove all but the newest `keep` whole checkpoints, and every one that was cut off."""
    found = _by_step(folder)
    whole = [path for path in found if (path / COMPLETE).exists()]
    for path in (*whole[keep:], *(path for path in found if path not in whole)):
        # The mark goes first: a removal that is cut off must not leave a whole-looking rest.
        (path / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(path)


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def step_of(checkpoint: Path | None) -> int:
    """Return the step after which a checkpoint was written; 0 for none, the start."""
    return (checkpoint and _step(checkpoint)) or 0


def _by_step(folder: Path) -> list[Path]:
    """Return checkpoints from the highest step down, whole or not."""
    steps = {step: path for path in folder.glob("checkpoint-*") if (step := _step(path)) is not None}
    return [steps[step] for step in sorted(steps, reverse=True)]


def _step(checkpoint: Path) -> int | None:
    match = re.fullmatch(r"checkpoint-(\d+)", checkpoint.name)
    return int(match[1]) if match else None


def _files(checkpoint: Path) -> list[Path]:
    """Return what counts in a checkpoint; hidden files are the file system's or a file browser's."""
    return sorted(
        path
        for path in checkpoint.rglob("*")
        if path.is_file() and path != checkpoint / COMPLETE and not path.name.startswith(".")
    )


def _hashes(paths: Sequence[Path]) -> list[str]:
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(file_sha256, paths))


def _set_aside(checkpoint: Path) -> Path:
    """Rename a damaged checkpoint and return its new place: nothing is deleted."""
    number, target = 1, checkpoint.with_name(f"{checkpoint.name}.damaged")
    while target.exists():
        number += 1
        target = checkpoint.with_name(f"{checkpoint.name}.damaged-{number}")
    return checkpoint.rename(target)
