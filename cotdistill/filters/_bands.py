"""Sketches of questions on disk: which earlier ones may be alike (MinHash with bands, Broder 1997)."""

import errno
import math
import os
import sqlite3
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError

ROWS = 5
"""Hashes in a band. Unrelated questions share a twentieth of their runs: three pairs in ten million share a band."""
RECALL = 0.95
"""Share of the pairs at the threshold that become candidates; above the threshold it is more."""
CACHE_KIB = 64 * 1024
"""Memory of the table; what is more is on disk."""
MOST_CANDIDATES = 100
"""That one question is compared with, those with most bands in common: a template may have thousands of others."""


def bands(threshold: float) -> int:
    """Return how many bands it takes that RECALL of the pairs at the threshold share one."""
    missed = 1 - threshold**ROWS
    return max(1, math.ceil(math.log(1 - RECALL) / math.log(missed))) if missed else 1


class BandTable:
    """Numbers of texts by the bands of their sketches, in an unnamed file: gone with the process, however that ends.

    Raises: UserError without the package datasketch.
    """

    def __init__(self, folder: Path, threshold: float) -> None:
        self._bands = bands(threshold)
        self._sketch = _empty_sketch(self._bands * ROWS)
        self._folder = folder
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        self._table = sqlite3.connect(name, isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", f"cache_size=-{CACHE_KIB}"):
            self._table.execute(f"PRAGMA {setting}")
        self._table.execute(
            "CREATE TABLE bands (band INTEGER, number INTEGER, PRIMARY KEY (band, number)) WITHOUT ROWID"
        )
        Path(name).unlink()
        # One transaction that is never finished: pages are written when they do not fit into the memory.
        self._table.execute("BEGIN")
        self._query = f"SELECT number FROM bands WHERE band IN ({','.join('?' * self._bands)})"

    def close(self) -> None:
        """Give the memory and the disk back."""
        self._table.close()

    def keys(self, runs: Iterable[tuple[str, ...]], label: str) -> list[int]:
        """Return a number for each band of a text given as its runs of words; texts of other labels never share one."""
        self._sketch.clear()
        self._sketch.update_batch([" ".join(run).encode("utf-8", "surrogatepass") for run in runs])
        values = self._sketch.hashvalues.tolist()
        return [hash((label, n, *values[n * ROWS : (n + 1) * ROWS])) for n in range(self._bands)]

    def candidates(self, keys: list[int]) -> list[int]:
        """Return the numbers of the texts that share a band, the smallest first."""
        shared = Counter(number for (number,) in self._table.execute(self._query, keys))
        if len(shared) > MOST_CANDIDATES:
            shared = Counter(dict(sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES]))
        return sorted(shared)

    def add(self, keys: list[int], number: int) -> None:
        """Remember a text by its bands. Raises: OSError where the disk is full."""
        try:
            self._table.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(key, number) for key in keys])
        except sqlite3.OperationalError as error:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder)) from error


def _empty_sketch(size: int) -> Any:  # Any: a datasketch.MinHash
    try:
        from datasketch import MinHash
    except ImportError:
        raise UserError("`filter.near_duplicates` needs datasketch", hint="pip install 'cotdistill[filter]'") from None
    # Its default hashes with SHA-1, five times as long; the bits are mixed in any case.
    return MinHash(num_perm=size, seed=1, hashfunc=zlib.crc32)
