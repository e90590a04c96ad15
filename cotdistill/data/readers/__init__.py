"""Readers of data files: JSON array, JSON lines, CSV, TSV and Parquet -> rows, each with its place.

    for where, row in read_rows(Path("p.jsonl")): ...        # where: "p.jsonl:1"

Told apart by the name: `.csv`, `.tsv`, `.parquet`; every other file holds JSON. A row that cannot be read goes to
`on_bad` with its place, key, what was expected and what was found; what spoils the rest of a file stops the reading.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError

JsonRow = dict[str, Any]  # Any: a foreign JSON row
OnBad = Callable[[UserError, str], None]
"""Takes the fault of a row and the row's text, as far as it could be read."""

SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".tsv")

REFUSED = {
    ".arrow": "write it as Parquet: datasets.load_from_disk(…).to_parquet(…)",
    ".feather": "write it as Parquet",
    ".gz": "unpack it first: gunzip",
    ".zip": "unpack it first: unzip",
    ".zst": "unpack it first: unzstd",
    ".xz": "unpack it first: unxz",
    ".xlsx": "save it as CSV in UTF-8",
    ".xls": "save it as CSV in UTF-8",
    ".pkl": "write it as JSON lines; a pickle can run code",
    ".pt": "write it as JSON lines; a pickle can run code",
}


def stop(fault: UserError, text: str) -> None:  # noqa: ARG001
    """Raise the fault: the first bad row ends the reading."""
    raise fault


def read_rows(
    path: Path, *, on_bad: OnBad = stop, names: tuple[str, ...] = (), is_object: bool = False
) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and object of every row, in flat memory.

    `names` are the columns of a CSV or TSV file without a header; `is_object` says that the file is one JSON object
    whose values are the rows. Raises: UserError that names file, line and key.
    """
    from cotdistill.data.readers import _json, _parquet, _table

    suffix = path.suffix.lower()
    if suffix in REFUSED:
        raise UserError(f"a {suffix} file cannot be read", str(path), REFUSED[suffix])
    if suffix == ".parquet":
        yield from _parquet.read_parquet(path)
    elif suffix in (".csv", ".tsv"):
        yield from _table.read_table(path, on_bad=on_bad, names=names, is_tsv=suffix == ".tsv")
    else:
        yield from _json.read_json(path, on_bad=on_bad, is_object=is_object)


def read_json_lines(path: Path, lines: Iterable[str], *, first: int, on_bad: OnBad) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and object of some lines of a file, the first of which has the number `first`."""
    from cotdistill.data.readers import _json

    return _json.read_lines(path, lines, on_bad, first=first)
