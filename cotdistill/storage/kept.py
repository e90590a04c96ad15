"""What one start has found out and the next one need not find out again: files that may be lost at any moment.

    …the data…
    9f…(the key)… 5c…(sha256 of the data)…

The key says what the data was made from. A file that is damaged, cut off or made from something else is not there.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from cotdistill.storage.jsonl import AtomicFile

END_BYTES = len(f"{'0' * 64} {'0' * 64}\n")
"""Of the last line, which says key and checksum."""

READ_BYTES = 1 << 20


def kept(path: Path, key: str, make: Callable[[], bytes]) -> bytes:
    """Return what a file keeps under a key; made, and kept, where it is not there."""
    file = open_kept(path, key)
    if file is None:
        data = make()
        keep(path, key, [data])
        return data
    with file:
        return file.read()[:-END_BYTES]


def open_kept(path: Path, key: str) -> BinaryIO | None:
    """Return the file that keeps something under a key, at its beginning, or None; its last END_BYTES are no data."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    try:
        if _is_whole(file, key):
            file.seek(0)
            return file
    except OSError:
        pass  # a disk that fails: it is made again
    file.close()
    return None


def keep(path: Path, key: str, parts: Iterable[bytes]) -> None:
    """Keep data under a key in place of what the file kept; where the disk refuses, nothing is kept."""
    file = AtomicFile(path)
    # Another process may be keeping the same: neither writes into the other's file.
    file.partial = path.with_name(f"{path.name}.{token_hex(4)}.partial")
    try:
        with file:
            for part in parts:
                file.write_bytes(part)
            file.write(f"{key} {file.sha256}\n")
    except OSError:
        pass  # a full disk: whoever must write says so
    finally:
        with suppress(OSError):
            # What a killed process left goes, too.
            for left in path.parent.glob(f"{path.name}.*.partial"):
                left.unlink(missing_ok=True)


def _is_whole(file: BinaryIO, key: str) -> bool:
    left = os.fstat(file.fileno()).st_size - END_BYTES
    if left < 0:
        return False
    digest = sha256()
    while left and (data := file.read(min(left, READ_BYTES))):
        digest.update(data)
        left -= len(data)
    return file.read() == f"{key} {digest.hexdigest()}\n".encode()
