"""The live line of ledgers that other processes write: how many answers came, and what they cost."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cotdistill.errors import UserError
from cotdistill.sampling.meter import Meter
from cotdistill.stage import Advance
from cotdistill.storage.ledger import LedgerEntry, utc_now
from cotdistill.storage.ledger_line import parsed_line

EVERY_S = 1.0


@contextlib.contextmanager
def followed(ledgers: Sequence[Path], meter: Meter, advance: Advance) -> Iterator[None]:
    """Advance a bar with every answer that files have or come to hold, and count what the new ones cost."""
    done = threading.Event()
    follower = _Follower(ledgers, meter, advance)
    thread = threading.Thread(target=follower.follow, args=(done,), name="followed", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Follower:
    def __init__(self, ledgers: Sequence[Path], meter: Meter, advance: Advance) -> None:
        self.read = dict.fromkeys(ledgers, 0)
        """Bytes of each file that were counted."""
        self.meter = meter
        self.advance = advance
        self.began = utc_now()

    def follow(self, done: threading.Event) -> None:
        while not done.wait(EVERY_S):
            self.look()
        self.look()

    def look(self) -> None:
        """Count what came since the last look."""
        came = 0
        for path in self.read:
            for line in self._new_lines(path):
                came += 1
                with contextlib.suppress(UserError):  # who reads the file says so
                    self._count(parsed_line(line, "", LedgerEntry))
        if came:
            self.advance(came, note=self.meter.note())

    def _new_lines(self, path: Path) -> Iterator[bytes]:
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(self.read[path])
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.read[path] += len(line)
                yield line

    def _count(self, entry: LedgerEntry) -> None:
        if entry.received < self.began:
            self.meter.stored += 1
        else:
            self.meter.take(entry)
            self.meter.done += 1
