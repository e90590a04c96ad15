"""The files of a run that hold rows to look at, as they are at this moment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from cotdistill.storage.arms import ArmStages, read_arms
from cotdistill.storage.run_folder import ARMS, DROPPED, FAILED, LEDGER, REJECTED, RESOLVED, ROWS, SHORTENED

FileRole = Literal["rows", "rejected", "shortened", "conversations", "stored"]
"""What a line is: a row that goes on, `Rejected`, a row that was cut, a row of a data set, a ledger's record."""

REGISTRY = "dataset_info.json"
PARTIAL = ".partial"

NAMES: dict[str, FileRole] = {
    ROWS: "rows",
    REJECTED: "rejected",
    FAILED: "rejected",
    DROPPED: "rejected",
    SHORTENED: "shortened",
}


@dataclass(frozen=True)
class RowsFile:
    """A file of rows."""

    folder: str
    """The stage's, relative to the run's."""
    stage: str
    name: str
    """As it is called once it is whole, relative to the stage's folder."""
    role: FileRole
    path: Path
    """Where it is now; `….partial` while it is written."""

    @property
    def key(self) -> str:
        """Name that stays, whether the file is whole or not."""
        return f"{self.folder}/{self.name}"


class Run:
    """A run's folder."""

    def __init__(self, path: Path) -> None:
        """Raises: UserError where the folder is no run."""
        self.path = path
        self.name = path.resolve().name
        self._arms = self._stamp(), read_arms(path).arms

    @property
    def arms(self) -> tuple[ArmStages, ...]:
        """Return the arms as they are written at this moment. Raises: UserError."""
        stamp = self._stamp()
        if stamp != self._arms[0]:
            self._arms = stamp, read_arms(self.path).arms
        return self._arms[1]

    def _stamp(self) -> tuple[int, int]:
        """Return what tells the file of the arms from an earlier one."""
        try:
            found = (self.path / ARMS).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def folders(self) -> dict[str, str]:
        """Return stage folder -> stage, each once, in the order in which they are done."""
        return {folder: stage for arm in self.arms for folder, stage in arm.folders.items()}

    def arms_of(self, folder: str) -> list[str]:
        """Return the names of the arms that share a stage's folder."""
        return [arm.name for arm in self.arms if folder in arm.folders]

    def chosen(self, stage: str, arm: str = "") -> dict[str, str]:
        """Return the folders of a stage, of one arm or of all: folder -> stage; of every stage where it is empty."""
        return {
            folder: name
            for one in self.arms
            if arm in ("", one.name)
            for folder, name in one.folders.items()
            if stage in ("", name)
        }

    def files(self) -> Iterator[RowsFile]:
        """Yield the files of rows that are there now."""
        for folder, stage in self.folders().items():
            yield from files_in(self.path / folder, folder, stage)

    @cached_property
    def recipes(self) -> dict[str, dict[str, object]]:
        """Recipe of each arm with its defaults, `main` before them; empty where it cannot be read."""
        try:
            found = json.loads((self.path / RESOLVED).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def recipe_of(self, arm: str) -> dict[str, object]:
        """Return the recipe of an arm, that of `main` where it has none."""
        name = arm.rpartition("@")[0] if arm not in self.recipes and "@" in arm else arm
        found = self.recipes.get(name) or self.recipes.get("main")
        return found if isinstance(found, dict) else {}


def files_in(path: Path, folder: str, stage: str) -> Iterator[RowsFile]:
    """Yield the files of rows in a stage's folder; those of earlier phases too."""
    places = [path, *sorted(path.glob("phase-*"))]
    for place in places:
        before = "" if place is path else f"{place.name}/"
        for name, role in NAMES.items():
            if (there := _there(place / name)) is not None:
                yield RowsFile(folder, stage, before + name, role, there)
    for name in _conversation_files(path):
        if (there := _there(path / name)) is not None:
            yield RowsFile(folder, stage, name, "conversations", there)
    # What a ledger holds is in the rows too, once they are written.
    if _there(path / ROWS) is None and (path / LEDGER).is_file():
        yield RowsFile(folder, stage, LEDGER, "stored", path / LEDGER)


def _there(path: Path) -> Path | None:
    partial = path.with_name(path.name + PARTIAL)
    return path if path.is_file() else partial if partial.is_file() else None


def _conversation_files(folder: Path) -> list[str]:
    """Return the names of data files that a registry in the folder names, or that are being written."""
    try:
        entries = json.loads((folder / REGISTRY).read_bytes())
        return [str(entry["file_name"]) for entry in entries.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [path.name.removesuffix(PARTIAL) for path in sorted(folder.glob(f"*.json{PARTIAL}"))]
