"""CSV (RFC 4180: fields may be quoted and hold line breaks) and TSV (no quotes: a tab ends a field, always).

question,gold
"Two, and two?",4

Excel writes `;` where the comma is the decimal mark, and may say so in a line of its own, `sep=;`. pandas writes the
number of the row in a first column without a name.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from cotdistill.data.readers import JsonRow, OnBad
from cotdistill.data.readers._text import opened
from cotdistill.errors import UserError

MAX_FIELD_CHARS = 1 << 30
DELIMITERS = ",;\t|"
"""What may stand between the fields of a CSV file, the usual one first."""
NOTE = re.compile(r"sep=([,;\t|])\s*$", re.IGNORECASE)
INDEX = "Unnamed: 0"
"""What a first column without a name is called, as pandas does."""


def read_table(path: Path, *, on_bad: OnBad, names: tuple[str, ...], is_tsv: bool) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and columns of every row; every value is text.

    Raises: UserError that names file and line.
    """
    # The module's default of 131,072 is shorter than long rationales are; the limit can only be set for all readers.
    csv.field_size_limit(MAX_FIELD_CHARS)
    delimiter = "\t" if is_tsv else _delimiter(path, width=len(names))
    with opened(path, newline="") as file:
        lines = csv.reader(
            file, delimiter=delimiter, quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL, strict=True
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
            if not fields or fields == [""] or (line == 1 and _is_note(fields, delimiter)):
                continue
            if header is None:
                header = _header(fields, f"{path}:{line}")
            elif len(fields) != len(header):
                fault = UserError(f"expected {len(header)} columns, found {len(fields)}", f"{path}:{line}")
                on_bad(fault, delimiter.join(fields))
            else:
                yield f"{path}:{line}", dict(zip(header, fields, strict=True))


def _delimiter(path: Path, *, width: int) -> str:
    """Return what stands between the fields: what the first line says, else what it has most of.

    `width` is the number of fields where it is known, else 0.
    """
    with opened(path, newline="") as file:
        first = next((line for line in file if line.strip()), "")
        if (note := NOTE.match(first)) is not None:
            return note[1]
    counts = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (counts[mark] == width, counts[mark]))


def _is_note(fields: list[str], delimiter: str) -> bool:
    """Return whether a line is Excel's, that says what stands between the fields."""
    return NOTE.match(delimiter.join(fields)) is not None


def _header(fields: list[str], where: str) -> tuple[str, ...]:
    """Return the names of the columns. Raises: UserError where one is empty or a duplicate."""
    names = tuple(field.strip() for field in fields)
    if len(names) > 1 and not names[0]:
        names = (INDEX, *names[1:])
    for number, name in enumerate(names, start=1):
        if not name:
            raise UserError(f"column {number} has no name", where, "the first line names the columns")
        if names.count(name) > 1:
            raise UserError("duplicate column", f"{where}: {name}", "rename one of them")
    return names
