"""Parquet and Arrow files (as `datasets` keeps and writes them), a batch at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cotdistill.data.readers import JsonRow
from cotdistill.errors import UserError, no_such_file

BATCH_ROWS = 256
"""Rows in memory at a time; reasoning rows are long, 256 of them take some megabytes."""


def read_parquet(path: Path) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:row` and columns of every row, numbered from 1.

    Raises: UserError: no such file, no Parquet, or the package is not there.
    """

    def batches() -> Iterator[Any]:  # Any: pyarrow's record batches
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS)

    return _rows(path, "Parquet", batches())


def read_arrow(path: Path) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:row` and columns of every row, numbered from 1, of a file of either Arrow format.

    Raises: UserError: no such file, no Arrow file, or the package is not there.
    """

    def batches() -> Iterator[Any]:  # Any: pyarrow's record batches
        import pyarrow

        with pyarrow.memory_map(str(path)) as source:
            # `datasets` writes streams; other tools write files, which can be read from any place.
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            if is_file:
                reader = pyarrow.ipc.open_file(source)
                whole: Iterable[Any] = (reader.get_batch(number) for number in range(reader.num_record_batches))
            else:
                whole = pyarrow.ipc.open_stream(source)
            for batch in whole:
                yield from (batch.slice(start, BATCH_ROWS) for start in range(0, batch.num_rows, BATCH_ROWS))

    return _rows(path, "Arrow", batches())


def _rows(path: Path, kind: str, batches: Iterator[Any]) -> Iterator[tuple[str, JsonRow]]:
    number = 0
    try:
        for batch in batches:
            for row in batch.to_pylist():
                number += 1
                yield f"{path}:{number}", row
    except ImportError:
        raise UserError(f"reading {kind} needs the package `pyarrow`", str(path), "pip install pyarrow") from None
    except FileNotFoundError:
        raise no_such_file(path) from None
    # pyarrow's errors are ValueErrors and OSErrors.
    except (ValueError, OSError) as error:
        raise UserError(f"is no {kind} file: {str(error).partition(chr(10))[0]}", str(path)) from None
