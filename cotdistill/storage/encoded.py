"""Rows as they are written: JSON that is made once, where a worker made it, and goes to a file as it is."""

import json
from functools import cache
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json

from cotdistill.errors import whole_characters
from cotdistill.records import Record, Rejected, RejectionKind


class EncodedRow(NamedTuple):
    """A row that a stage passes on, or rejects."""

    data: bytes
    """JSON of the whole line, without its end."""
    record: type[Record]
    """What it holds: `Rejected` where the stage does not pass it on."""
    kind: RejectionKind | None = None
    """Why it is rejected, as it is counted; None for a row that goes on."""

    def decode(self) -> Record:
        """Return the row."""
        return self.record.model_validate_json(self.data)


def encode(record: Record) -> bytes:
    """Return a record as JSON in UTF-8; half a character, which has none, is replaced."""
    try:
        return _adapter(type(record)).dump_json(record)
    except PydanticSerializationError:
        return _whole(record.model_dump(mode="json"))


def encode_text(text: str) -> bytes:
    """Return a text as JSON, in its quotes."""
    try:
        return to_json(text)
    except PydanticSerializationError:
        return _whole(text)


def rejected(kind: RejectionKind, reason: bytes, row: bytes) -> EncodedRow:
    """Return the row that says why a row is rejected; reason and row are encoded already."""
    return EncodedRow(b'{"kind":"%b","reason":%b,"row":%b}' % (kind.encode(), reason, row), Rejected, kind)


@cache
def _adapter(record: type[Record]) -> TypeAdapter[Record]:
    """Return what writes bytes at once: `model_dump_json` makes a text of them first."""
    return TypeAdapter(record)


def _whole(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return whole_characters(text).encode("utf-8", "surrogatepass")
