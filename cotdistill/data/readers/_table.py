"""CSV (RFC 4180: fields may be quoted and hold line breaks) and TSV (no quotes: a tab ends a field, always).

question,gold
"Two, and two?",4
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from cotdistill.data.readers import JsonRow, OnBad
from cotdistill.data.readers._text import opened
from cotdistill.errors import UserError

MAX_FIELD_CHARS = 1 << 30


def read_table(path: Path, *, on_bad: OnBad, names: tuple[str, ...], is_tsv: bool) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and columns of every row; every value is text.

    Raises: UserError that names file and line.
    """
    # The module's default of 131,072 is shorter than long rationales are; the limit can only be set for all readers.
    csv.field_size_limit(MAX_FIELD_CHARS)
    with opened(path, newline="") as file:
        lines = (
            csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
            if is_tsv
            else csv.reader(file, strict=True)
        )
        header = names or None
        while True:
            line = lines.line_num + 1
            try:
                fields = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                raise UserError(f"is no table: {error}", f"{path}:{line}", "are all quotes closed?") from None
            if not fields or fields == [""]:
                continue
            if header is None:
                header = _header(fields, f"{path}:{line}")
            elif len(fields) != len(header):
                fault = UserError(f"expected {len(header)} columns, found {len(fields)}", f"{path}:{line}")
                on_bad(fault, ("\t" if is_tsv else ",").join(fields))
            else:
                yield f"{path}:{line}", dict(zip(header, fields, strict=True))


def _header(fields: list[str], where: str) -> tuple[str, ...]:
    """Return the names of the columns. Raises: UserError where one is empty or a duplicate."""
    names = tuple(field.strip() for field in fields)
    for number, name in enumerate(names, start=1):
        if not name:
            raise UserError(f"column {number} has no name", where, "the first line names the columns")
        if names.count(name) > 1:
            raise UserError("duplicate column", f"{where}: {name}", "rename one of them")
    return names
