"""The teacher's most probable tokens beside the token rows, for losses that compare with them.

topk_ids.bin    per supervised token of a row up to k token ids of the student, uint32
topk_probs.bin  their probabilities, which sum to 1, float32; all are 0 where the teacher's tokens do not fit
topk_rows.bin   per row the hash of its id, its first place in the other two, and how many places it has, all int64,
                sorted by hash

A row none of whose tokens has any is not there. A row's places are those of its supervised tokens, in order, whatever
batches it stands in.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.storage.keys import draw

if TYPE_CHECKING:
    import numpy as np

TOPK_FILES = IDS, PROBS, ROWS = ("topk_ids.bin", "topk_probs.bin", "topk_rows.bin")
COLUMNS = 3
"""Numbers per row in topk_rows.bin."""


class TopKRow(NamedTuple):
    """What a row's supervised tokens might have been; N tokens, K candidates."""

    ids_NK: "np.ndarray"  # noqa: N815
    probs_NK: "np.ndarray"  # noqa: N815


def write_topk(rows: Iterable[tuple[str, TopKRow]], folder: Path) -> None:
    """Write the rows, each with its id, into an existing folder; of an id that comes twice, none is kept."""
    import numpy as np

    index: dict[int, tuple[int, int]] = {}
    twice: set[int] = set()
    end = 0
    with (folder / IDS).open("wb") as ids, (folder / PROBS).open("wb") as probs:
        for row_id, row in rows:
            if (name := _hash(row_id)) in index:
                twice.add(name)
            index[name] = end, len(row.ids_NK)
            end += len(row.ids_NK)
            row.ids_NK.astype(np.uint32).tofile(ids)
            row.probs_NK.astype(np.float32).tofile(probs)
    table = [(name, *place) for name, place in sorted(index.items()) if name not in twice]
    np.array(table, np.int64).reshape(-1, COLUMNS).tofile(folder / ROWS)


class TopKFile:
    """The columns of a folder, read as they are asked for."""

    def __init__(self, folder: Path, k: int) -> None:
        self.folder = folder
        self.k = k

    def __getstate__(self) -> dict[str, object]:
        """Leave what is read to each process that loads data: a map of a file does not travel."""
        return {"folder": self.folder, "k": self.k}

    def find(self, row_id: str) -> TopKRow | None:
        """Return a row's columns; None where it has none."""
        name = _hash(row_id)
        place = int(self._rows[:, 0].searchsorted(name))
        if place == len(self._rows) or self._rows[place, 0] != name:
            return None
        _, start, count = self._rows[place]
        return TopKRow(self._ids[start : start + count], self._probs[start : start + count])

    @cached_property
    def _rows(self) -> "np.ndarray":
        return self._read(ROWS, "int64", COLUMNS)

    @cached_property
    def _ids(self) -> "np.ndarray":
        return self._read(IDS, "uint32", self.k)

    @cached_property
    def _probs(self) -> "np.ndarray":
        return self._read(PROBS, "float32", self.k)

    def _read(self, name: str, dtype: str, columns: int) -> "np.ndarray":
        import numpy as np

        path = self.folder / name
        # An empty file cannot be mapped.
        found = np.memmap(path, dtype, mode="r") if path.stat().st_size else np.empty(0, dtype)
        return found.reshape(-1, columns)


def _hash(row_id: str) -> int:
    return int.from_bytes(draw(row_id)[:8], signed=True)
