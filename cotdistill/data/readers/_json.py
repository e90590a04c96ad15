"""JSON rows: an array, one object a line, one list in an object, or the values of one object.

[{"question": "…"}, …]                {"question": "…"}⏎{"question": "…"}
{"data": [{"question": "…"}, …]}      {"0": {"question": "…"}, "1": {…}}
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO

from cotdistill.data.readers import JsonRow, OnBad
from cotdistill.data.readers._text import opened
from cotdistill.errors import UserError

CHUNK_CHARS = 1 << 20
CUT_CHARS = 20
"""Longest literal or escape that the end of a chunk can cut in two; a fault before it is no cut."""

SPACE = re.compile(r"[ \t\r\n]*")
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
LINES_HINT = "one object a line, or one array of objects"

Shape = Literal["array", "lines", "wrapped", "object"]
WRAPPERS = ("data", "rows", "train", "test", "examples", "instances", "items", "questions", "problems", "records")
"""Keys of an object under which a whole set stands as a list."""


def read_json(path: Path, *, on_bad: OnBad, is_object: bool) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and object of every row.

    Raises: UserError that names file and line.
    """
    shape: Shape = "object" if is_object else shape_of(path)
    with opened(path) as file:
        if shape == "lines":
            yield from read_lines(path, file, on_bad)
            return
        stream = _Stream(path, file, closing="]" if shape == "array" else "}")
        yield from _wrapped(stream, on_bad) if shape == "wrapped" else _items(stream, on_bad)
        if left := stream.peek():
            raise UserError(f"expected the end of the file, found {_start(left)}", f"{path}:{stream.line}")


def shape_of(path: Path) -> Shape:
    """Return how a file holds its rows, told by its first row: what is no other shape has a row a line."""
    with opened(path) as file:
        first = next((line for line in iter(lambda: file.readline(CHUNK_CHARS), "") if line.strip()), "").strip()
        if first.startswith("["):
            return "array"
        try:
            json.loads(first)
        except ValueError:
            has_rows_a_line = False
        else:
            has_rows_a_line = any(line.strip() for line in iter(lambda: file.readline(CHUNK_CHARS), ""))
    if has_rows_a_line or not first.startswith("{"):
        return "lines"
    with opened(path) as file:
        try:
            return _shape_of_object(_Stream(path, file, closing="}"))
        except UserError:
            return "lines"


def _shape_of_object(stream: "_Stream") -> Shape:
    """Return what the first object of a file is: a row, or all of them."""
    stream.expect("{")
    while stream.peek() != "}":
        key = stream.value()
        stream.expect(":")
        if key in WRAPPERS and stream.peek() == "[":
            stream.expect("[")
            return "wrapped" if stream.peek() in ("{", "]") else "lines"
        if key == "0" and stream.peek() == "{":
            return "object"
        stream.value()
        if stream.peek() != ",":
            break
        stream.expect(",")
    return "lines"


def _wrapped(stream: "_Stream", on_bad: OnBad) -> Iterator[tuple[str, JsonRow]]:
    """Yield the rows of the one list that an object has beside what is said of the whole set."""
    found: object = None
    stream.expect("{")
    while stream.peek() != "}":
        key = stream.value()
        stream.expect(":")
        if key not in WRAPPERS or stream.peek() != "[":
            stream.value()
        elif found is None:
            found, stream.closing = key, "]"
            yield from _items(stream, on_bad)
            stream.closing = "}"
        else:
            where = f"{stream.path}:{stream.line}: {key}"
            raise UserError(f"a second list of rows, beside `{found}`", where, "write each list to a file of its own")
        if stream.peek() != ",":
            break
        stream.expect(",")
    stream.expect("}")


class _Strict:
    """A JSON decoder that notes duplicate keys, and NaN and Infinity, which JSON does not have."""

    def __init__(self) -> None:
        self.is_flawed = False
        self.duplicate: str | None = None
        """A key that an object of the last value has twice."""
        self._decoder = json.JSONDecoder(parse_constant=self._constant, object_pairs_hook=self._object)

    def value_at(self, text: str, start: int) -> tuple[object, int]:
        """Return the value that begins at `start`, and where it ends.

        Raises: json.JSONDecodeError, ValueError, RecursionError.
        """
        self.is_flawed, self.duplicate = False, None
        value, end = self._decoder.raw_decode(text, start)
        if not self.is_flawed and "\\u" in text:
            self.is_flawed = SURROGATE.search(text, start, end) is not None
        return value, end

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            self.duplicate = next(name for name in found if names.count(name) > 1)
        return found

    def _constant(self, name: str) -> float:
        self.is_flawed = True
        return float(name.replace("Infinity", "inf"))


def read_lines(path: Path, lines: Iterable[str], on_bad: OnBad, *, first: int = 1) -> Iterator[tuple[str, JsonRow]]:
    """Yield `file:line` and object of every line; `first` is the number of the first one."""
    strict = _Strict()
    for number, line in enumerate(lines, start=first):
        text = line.strip()
        if not text:
            continue
        where = f"{path}:{number}"
        try:
            value, end = strict.value_at(text, 0)
            if text[end:].strip():
                raise UserError(f"expected the end of the line, found {_start(text[end:])}", where, LINES_HINT)
            yield where, _checked(value, where, strict)
        except json.JSONDecodeError as error:
            fault = UserError(f"is not JSON: {error.msg}, column {error.colno}", where, LINES_HINT)
            on_bad(fault, text)
        except (ValueError, RecursionError) as error:
            on_bad(UserError(f"cannot be read: {str(error).partition(';')[0]}", where), text)
        except UserError as fault:
            on_bad(fault, text)


def _items(stream: "_Stream", on_bad: OnBad) -> Iterator[tuple[str, JsonRow]]:
    """Yield the rows of an array, or the values of an object, to its end."""
    closing = stream.closing
    stream.expect("[" if closing == "]" else "{")
    if stream.peek() != closing:
        while True:
            if closing == "}":
                stream.value()
                stream.expect(":")
            stream.peek()
            where = f"{stream.path}:{stream.line}"
            value = stream.value()
            try:
                row = _checked(value, where, stream.strict)
            except UserError as fault:
                on_bad(fault, json.dumps(value))
            else:
                yield where, row
            if stream.peek() == closing:
                break
            stream.expect(",")
    stream.expect(closing)


class _Stream:
    """A JSON text, read a chunk at a time."""

    def __init__(self, path: Path, file: TextIO, *, closing: str) -> None:
        self.path = path
        self.closing = closing
        self.file = file
        self.strict = _Strict()
        self.buffer = ""
        self.at = 0
        self.line = 1

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end of the file."""
        while True:
            match = SPACE.match(self.buffer, self.at)
            assert match is not None, "any text begins with no or some space"
            self._move(match.end())
            if self.at < len(self.buffer) or not self._more():
                return self.buffer[self.at : self.at + 1]

    def expect(self, character: str) -> None:
        """Step over a character. Raises: UserError where another one stands."""
        found = self.peek()
        if not found:
            raise self._no_end()
        if found != character:
            what = _start(self.buffer[self.at : self.at + 20])
            raise UserError(f"is not JSON: expected `{character}`, found {what}", f"{self.path}:{self.line}")
        self.at += 1

    def value(self) -> object:
        """Return the next value and step over it. Raises: UserError."""
        if not self.peek():
            raise self._no_end()
        while True:
            try:
                value, end = self.strict.value_at(self.buffer, self.at)
            except json.JSONDecodeError as error:
                is_cut = error.pos >= len(self.buffer) - CUT_CHARS or error.msg.startswith("Unterminated string")
                if is_cut and self._more():
                    continue
                line = self.line + self.buffer.count("\n", self.at, error.pos)
                raise UserError(f"is not JSON: {error.msg}", f"{self.path}:{line}") from None
            except (ValueError, RecursionError) as error:
                message = f"cannot be read: {str(error).partition(';')[0]}"
                raise UserError(message, f"{self.path}:{self.line}") from None
            self._move(end)
            return value

    def _no_end(self) -> UserError:
        what = "array has no end: `]`" if self.closing == "]" else "object has no end: `}`"
        return UserError(f"the JSON {what} is missing", f"{self.path}:{self.line}", "was the file cut off?")

    def _move(self, end: int) -> None:
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def _more(self) -> bool:
        left = self.buffer[self.at :]
        more = self.file.read(max(CHUNK_CHARS, len(left)))
        self.buffer, self.at = left + more, 0
        return bool(more)


def _checked(value: object, where: str, strict: _Strict) -> JsonRow:
    """Return the value as a row. Raises: UserError that names place and key."""
    if not isinstance(value, dict):
        raise UserError(f"a row must be an object, not {type(value).__name__}", where, LINES_HINT)
    if strict.duplicate is not None:
        raise UserError("duplicate key", f"{where}: {strict.duplicate}", "all but its last value would be lost")
    for key, item in value.items() if strict.is_flawed else ():
        try:
            json.dumps({key: item}, allow_nan=False, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise UserError(f"expected text, found half a character ({half})", f"{where}: {key}") from None
        except ValueError:
            raise UserError("expected a JSON value, found NaN or Infinity", f"{where}: {key}") from None
    return value


def _start(text: str) -> str:
    text = text.strip()
    return f"`{text[:20]}…`" if len(text) > 20 else f"`{text}`"
