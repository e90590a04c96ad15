"""Points that a killed training goes on from.

transformers writes `checkpoint-<step>/` file by file and resumes from the highest number, whole or not; here one
counts only when it holds `complete`, written after every process has written its part.
"""

import re
import shutil
from pathlib import Path

COMPLETE = "complete"


def mark_complete(folder: Path, step: int) -> None:
    """Declare the checkpoint of a step whole."""
    (folder / f"checkpoint-{step}" / COMPLETE).touch()


def newest_complete(folder: Path) -> Path | None:
    """Return the whole checkpoint of the highest step; None where there is none."""
    return next(iter(_by_step(folder, is_complete=True)), None)


def prune(folder: Path, *, keep: int) -> None:
    """Remove all but the newest `keep` whole checkpoints, and every one that was cut off."""
    for path in (*_by_step(folder, is_complete=True)[keep:], *_by_step(folder, is_complete=False)):
        # The mark goes first: a removal that is cut off must not leave a whole-looking rest.
        (path / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(path)


def _by_step(folder: Path, *, is_complete: bool) -> list[Path]:
    """Return checkpoints from the highest step down."""
    steps = {
        int(match[1]): path
        for path in folder.glob("checkpoint-*")
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.name)) and (path / COMPLETE).exists() == is_complete
    }
    return [steps[step] for step in sorted(steps, reverse=True)]
