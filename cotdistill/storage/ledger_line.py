"""One record of a ledger as a line of bytes, with a checksum: a flipped bit changes no answer in silence.

    {"key":"9f…","index":0,…,"crc32":"5f0c21aa"}

The checksum is that of all bytes before its own field. Lines of earlier versions have none, and are read as they are.
"""

import contextlib
import json
import re
import zlib
from typing import TypeVar

from pydantic import ValidationError

from cotdistill.errors import UserError, first_fault
from cotdistill.records import Record

R = TypeVar("R", bound=Record)

CHECKSUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}')
CHECKSUM_BYTES = len(',"crc32":"01234567"}')


def ledger_line(record: Record) -> bytes:
    """Return the line of a record, its end included."""
    row = record.model_dump()
    try:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # A lone surrogate, half of a character that a server cut in two, has no UTF-8; escaped it is kept.
        text = json.dumps(row, separators=(",", ":")).encode()
    start = text.removesuffix(b"}")
    return start + b',"crc32":"%08x"}\n' % zlib.crc32(start)


def parsed_line(line: bytes, where: str, record: type[R]) -> R:
    """Return the record in a line. Raises: UserError that says what is wrong with it."""
    line = line.rstrip()
    if found := CHECKSUM.fullmatch(line[-CHECKSUM_BYTES:]):
        start = line[:-CHECKSUM_BYTES]
        if zlib.crc32(start) != int(found[1], 16):
            hint = "move that line to another file, and the answer is asked again; the others are good"
            raise UserError("was changed since it was written: its checksum is another", where, hint)
        line = start + b"}"
    with contextlib.suppress(ValidationError):
        return record.model_validate_json(line)
    # Not pydantic's own parser: it refuses the lone surrogates that servers do send, escaped.
    try:
        return record.model_validate(json.loads(line))
    except ValidationError as error:
        newer = [fault for fault in error.errors() if fault["type"] == "extra_forbidden"]
        if len(newer) == error.error_count():
            name = ".".join(map(str, newer[0]["loc"]))
            raise UserError(
                f"was written by a newer version of cotdistill: it has `{name}`", where, "go on with that version"
            ) from None
        detail = first_fault(error).message
    except (ValueError, RecursionError) as error:
        detail = str(error)
    raise UserError(
        f"is not a record of a ledger: {detail}", where, "move that line to another file; the others are good"
    )
