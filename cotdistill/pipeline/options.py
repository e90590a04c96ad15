"""What a command asks of the pipeline, and what it did."""

from dataclasses import dataclass, field
from pathlib import Path

from cotdistill.engines.ray import RayEngine
from cotdistill.stage import Progress, no_progress


@dataclass(frozen=True)
class RunOptions:
    """What a command asks of the pipeline."""

    runs: Path = Path("runs")
    only: str | None = None
    """Run this stage alone; the ones before it must be finished."""
    redo: str | None = None
    """Do this stage again, and after it what its change changes."""
    progress: Progress = no_progress
    engine: RayEngine | None = None
    """The cluster that blocks of rows and shards of problems are worked on; None: this machine alone."""


@dataclass
class RunResult:
    """What a run did."""

    folder: Path
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
