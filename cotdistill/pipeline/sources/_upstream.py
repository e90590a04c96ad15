"""The rows that the stage before wrote."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from cotdistill.recipe.plan import Step
from cotdistill.records import Record
from cotdistill.storage.jsonl import RowFile

R = TypeVar("R", bound=Record)


def upstream_rows(upstream: Step, run: Path, record: type[R]) -> Iterable[R]:
    """Return the rows of a finished step. Raises: UserError that names file, line and key."""
    return RowFile(run / upstream.folder / upstream.rows_file, record)
