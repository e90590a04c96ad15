"""Attempts that began to answer and broke: billed by the server, no answer to anyone, so they stand beside a ledger.

completions.broken.jsonl    {"host": "api…", "reason": "the connection broke: …", "input_tokens": 90,
                             "output_tokens": 450, "received": "2026-…"}
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from cotdistill.records import Record


class BrokenAttempt(Record):
    """What one of them cost, by the server's count or estimated by what arrived."""

    host: str
    reason: str
    input_tokens: int = 0
    output_tokens: int = 0
    received: str = ""
    """UTC, ISO 8601."""


def broken_path(ledger: Path) -> Path:
    """Return where the broken attempts of a ledger are."""
    return ledger.with_name(f"{ledger.stem}.broken.jsonl")


def note_broken(ledger: Path, attempt: BrokenAttempt) -> None:
    """Note an attempt; a disk that does not take it is said by the next answer that it does not take either."""
    with contextlib.suppress(OSError), broken_path(ledger).open("ab") as file:
        file.write((json.dumps(attempt.model_dump()) + "\n").encode())


def read_broken(ledger: Path) -> Iterator[BrokenAttempt]:
    """Yield the broken attempts of a ledger; a line that was cut is none."""
    try:
        lines = broken_path(ledger).read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            yield BrokenAttempt.model_validate(json.loads(line))
