"""Typed JSONL: written whole or not at all, read with file:line in every complaint.

{"problem": {"id": "p1", "question": "…", "gold": "72"}, "completion": {…}, "verdict": null}
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeVar

from pydantic import ValidationError

from cotdistill.errors import UserError
from cotdistill.records import Record

R = TypeVar("R", bound=Record)
JsonRow = dict[str, Any]  # Any: a foreign JSON row

CHUNK_CHARS = 1 << 20


class AtomicFile:
    """A text file that appears under its name only when it is whole: `.partial`, fsync, rename.

    Counts rows and hashes what is written, so that a manifest needs no second reading.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(path.name + ".partial")
        self.rows = 0
        self.size_bytes = 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Hex digest of what was written so far."""
        return self._hash.hexdigest()

    def __enter__(self) -> "AtomicFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.partial.open("wb")
        return self

    def write(self, text: str) -> None:
        """Write text as UTF-8."""
        data = text.encode("utf-8", "surrogatepass")
        self._hash.update(data)
        self.size_bytes += len(data)
        self._file.write(data)

    def write_row(self, record: Record) -> None:
        """Write one record as a line."""
        self.rows += 1
        self.write(record.model_dump_json() + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if kind is None:
            self.partial.replace(self.path)


def write_text(path: Path, text: str) -> None:
    """Write a whole file atomically."""
    with AtomicFile(path) as file:
        file.write(text)


def read(path: Path, record: type[R]) -> Iterator[R]:
    """Yield the rows of a JSONL file in order.

    Raises: UserError that names file, line and key.
    """
    with path.open(encoding="utf-8", errors="surrogatepass") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield record.model_validate_json(line)
                except ValidationError as error:
                    raise _row_error(path, number, error) from None


def read_json_rows(path: Path) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and object of every row of a JSON array or a JSONL file, in flat memory.

    Raises: UserError that names file and line.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            start = file.read(1)
            while start.isspace():
                start = file.read(1)
            file.seek(0)
            yield from _array_rows(path, file) if start == "[" else _line_rows(path, file)
    except UnicodeDecodeError as error:
        raise UserError(
            f"is not UTF-8 (byte {error.object[error.start] if error.object else 0:#x})",
            str(path),
            f"convert it first: iconv -f GBK -t UTF-8 {path.name} > utf8-{path.name}",
        ) from None


def _line_rows(path: Path, file: TextIO) -> Iterator[tuple[str, JsonRow]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            where = f"{path}:{number}"
            try:
                yield where, _an_object(json.loads(line), where)
            except json.JSONDecodeError as error:
                raise UserError(f"is not JSON: {error.msg}, column {error.colno}", where) from None


def _array_rows(path: Path, file: TextIO) -> Iterator[tuple[str, JsonRow]]:
    decoder = json.JSONDecoder()
    buffer, line, is_started = "", 1, False
    while True:
        stripped = buffer.lstrip(" \t\r\n" + ("," if is_started else ""))
        line += buffer[: len(buffer) - len(stripped)].count("\n")
        buffer = stripped
        if not is_started and buffer.startswith("["):
            buffer, is_started = buffer[1:], True
            continue
        if buffer.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(buffer) if buffer else (None, 0)
        except json.JSONDecodeError as error:
            more = file.read(max(CHUNK_CHARS, len(buffer)))
            if not more:
                raise UserError(f"is not JSON: {error.msg}", f"{path}:{line + error.lineno - 1}") from None
            buffer += more
            continue
        if end:
            where = f"{path}:{line}"
            yield where, _an_object(value, where)
            line += buffer[:end].count("\n")
            buffer = buffer[end:]
            continue
        more = file.read(CHUNK_CHARS)
        if not more:
            raise UserError("the JSON array has no end: `]` is missing", f"{path}:{line}")
        buffer = more


def _an_object(value: object, where: str) -> JsonRow:
    if not isinstance(value, dict):
        raise UserError(f"a row must be an object, not {type(value).__name__}", where)
    return value


def _row_error(path: Path, number: int, error: ValidationError) -> UserError:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    return UserError(f"{key}: {first['msg']}" if key else first["msg"], f"{path}:{number}")
