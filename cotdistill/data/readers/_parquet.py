"""Parquet, a batch of a row group at a time."""

from collections.abc import Iterator
from pathlib import Path

from cotdistill.data.readers import JsonRow
from cotdistill.errors import UserError, no_such_file

BATCH_ROWS = 256
"""Rows in memory at a time; reasoning rows are long, 256 of them take some megabytes."""


def read_parquet(path: Path) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:row` and columns of every row, numbered from 1.

    Raises: UserError: no such file, no Parquet, or the package is not there.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UserError("reading Parquet needs the package `pyarrow`", str(path), "pip install pyarrow") from None
    try:
        with ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}:{number}", row
    except FileNotFoundError:
        raise no_such_file(path) from None
    # pyarrow's errors are ValueErrors and OSErrors.
    except (ValueError, OSError) as error:
        raise UserError(f"is no Parquet file: {str(error).partition(chr(10))[0]}", str(path)) from None
