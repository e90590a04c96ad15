"""The run folder: where stages put things, the manifest that says one is finished, and the lock.

runs/<name>/2-filter/manifest.json, written last:
{"layout": 2, "stage": "filter", "key": "3f…", "recipe": {"options": {"keep": "correct"}, "roles": {…}, "inputs": {…}},
 "outputs": {"rows.jsonl": {"sha256": "…", "size_bytes": 8192, "rows": 85}}, "counts": {"in": 100, …}, …}
"""

import fcntl
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock, Timeout
from pydantic import ValidationError

from cotdistill.errors import FolderInUse, UserError, disk_fault, first_fault
from cotdistill.records import Record
from cotdistill.storage.jsonl import write_text

Json = Any  # Any: a JSON value

RECIPE = "recipe.yaml"
"""The recipe as its user wrote it."""
RESOLVED = "recipe.resolved.json"
"""Every arm's recipe with its defaults."""
ARMS = "arms.json"
"""Where each arm's stages are; written before the first stage starts."""
COMMAND = "command.json"
"""The recipe's path and what overrode it, as on the command line: how the run is made again."""
RUN_LOG = "run.log"
LOCK = ".lock"
PROGRESS = "progress.json"
"""How far the stage is that works in a folder, once every two seconds; gone when it is done."""
PAGE = "report.html"
JUDGEMENTS = "judgements.jsonl"
"""The judge's ledger, shared by all arms and stages."""
TOKENS = "tokens"
"""Folder of token files, shared by all trainings of a run."""
BASE = "base"
"""Folder of untrained students that had to be made."""

PROBLEMS = "problems"
"""Folder of large sets of problems as they were read: it may be removed at any time."""

LEDGER = "completions.jsonl"
"""Every completion of a stage that asks a model."""
ROWS = "rows.jsonl"
REJECTED = "rejected.jsonl"
FAILED = "failed.jsonl"
"""Problems that got no answer."""
REJECTED_INPUT = "rejected_input.jsonl"
"""Rows of a foreign file that could not be read."""
LOGPROBS = "logprobs.jsonl"
SPENDING = "spending.json"
JUDGING = "judging.json"
CHECKPOINT_ROWS = "checkpoint.jsonl"
METRICS = "metrics.jsonl"
DEVICES = "devices.json"
"""What a training ran on: `{"processes": 8, "device": "NVIDIA H200", "parameters": 7615616512}`."""
JOB = "job.json"
PHASE = "phase-{}"
"""Folder of a training's phase, by its number; the last phase's place is the stage's own folder."""
POINTS = "points"
"""Folder of the students that a training leaves on the way, `step-<n>` each, and of what an evaluation asked them."""
DROPPED, SHORTENED = "dropped.jsonl", "shortened.jsonl"
"""Conversations that were left out of a training, or cut in the middle of their rationale."""
TOP_K = "topk.json"
"""How much of a training set has the teacher's distributions."""
SCORES = "report.json"
CHOICE_MADE = "choice.json"
"""Which of several averages was chosen, and what each answered."""
SOLVED = "solved.json"
"""What a rollout solved, and the tokens that it took."""
CARD = "README.md"

MANIFEST = "manifest.json"
LAYOUT: Final = 2
STARTED = "started.json"
"""Key of the step that works in a folder: leftovers of another key are not gone on with."""
VERSIONED = ("torch", "transformers", "datasets", "accelerate", "deepspeed", "aiohttp")


class Output(Record):
    """A file that a finished stage left."""

    sha256: str
    size_bytes: int
    rows: int | None = None


class Counts(Record):
    """The stage's part of the funnel, in rows."""

    rows_in: int = 0
    rows_out: int = 0
    rejected: int = 0
    reasons: dict[str, int] = {}
    """Rejected rows by kind, most frequent first."""
    tokens: dict[str, int] = {}
    """Of a training on own answers: `answered` by the student, `scored` by the scorer, which generates none."""
    stopped: str = ""
    """Why such a training stopped by itself; empty: it did not."""

    def __str__(self) -> str:
        """Return the counts as a line: `1,000 rows in, 850 out (120 wrong, 30 unparsed)`."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.items())
        tokens = "".join(f", {count:,} tokens {what}" for what, count in self.tokens.items())
        stopped = f"; it stopped by itself: {self.stopped}" if self.stopped else ""
        rows = f"{self.rows_in:,} rows in, {self.rows_out:,} out" + (f" ({reasons})" if reasons else "")
        return rows + tokens + stopped


class Manifest(Record):
    """What a finished stage did; its presence means finished."""

    layout: Literal[2]
    """Version of the run folder's layout; 2 says `roles`."""

    stage: str
    key: str
    recipe: dict[str, Json]
    """All that the key is the hash of: options, roles, inputs."""
    outputs: dict[str, Output]
    counts: Counts
    versions: dict[str, str]
    started: str
    """UTC, ISO 8601."""
    seconds: float


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a stage's folder; None where the stage is not finished.

    Raises: UserError where the file is there and is no manifest.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        if _is_earlier_layout(path):
            raise UserError(
                f"was made by another version of cotdistill; this one reads layout {LAYOUT}",
                str(path),
                "give the run another `name:`, or remove its folder",
            ) from None
        raise UserError(f"is no manifest: {first_fault(error)}", str(path), "remove it to do the stage again") from None


def _is_earlier_layout(manifest: Path) -> bool:
    try:
        found = json.loads(manifest.read_bytes())
    except ValueError:
        return False
    return isinstance(found, dict) and "stage" in found and found.get("layout", 1) != LAYOUT


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Declare a stage finished."""
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")


def read_started(folder: Path) -> str | None:
    """Return the key of the step that works in a folder; None where no step says so, in words that can be read."""
    try:
        found = json.loads((folder / STARTED).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    key = found.get("key") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None


def set_aside(folder: Path) -> Path:
    """Move a stage's folder out of the way and return its new place: nothing is deleted."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder.with_name(f"{folder.name}.{stamp}")
    suffix = 1
    while target.exists():
        suffix += 1
        target = folder.with_name(f"{folder.name}.{stamp}-{suffix}")
    folder.rename(target)
    return target


@cache
def versions() -> Mapping[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for name in ("cotdistill", *VERSIONED):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@contextmanager
def locked(folder: Path, name: str = LOCK, *, timeout_s: float = 0) -> Iterator[None]:
    """Hold a run folder, or a part of it by another `name`: one process at a time; wait for it up to `timeout_s`.

    Raises: FolderInUse.
    """
    holder, lock = folder / f"{name}.pid", FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise FolderInUse(
            f"the run folder is in use by process {_read_pid(holder)}",
            str(folder),
            "wait for it, or give the run another `name:`",
        ) from None
    except OSError as error:
        # A lock's error names no file.
        raise disk_fault(error, folder / name) from None
    try:
        try:
            holder.write_text(str(os.getpid()))
        except OSError as error:
            raise disk_fault(error, holder) from None
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def is_locked(folder: Path) -> bool:
    """Return whether a process works in a run's folder, on this machine or on another that shares it."""
    # A shared lock is never had while another process holds its own, and asks for no right to write.
    if not _holder(folder).exists():
        return False
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def holder_of(folder: Path) -> str:
    """Return the id of the process that works in a run's folder; `unknown` where it cannot be told."""
    return _read_pid(_holder(folder))


def _holder(folder: Path) -> Path:
    return folder / f"{LOCK}.pid"


def _read_pid(holder: Path) -> str:
    try:
        return holder.read_text().strip() or "unknown"
    except (OSError, ValueError):
        return "unknown"


def default_name(recipe: Path) -> str:
    """Return a name for a run after its recipe's file, or after its folder where the file is just `recipe.yaml`."""
    name = recipe.resolve().parent.name if recipe.stem == "recipe" else recipe.stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
