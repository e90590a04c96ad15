"""Token rows on disk: four flat files that training processes map into memory, whatever their size.

tokens.bin   every row's token ids, one after the other, uint32
parts.bin    what each of these tokens is, uint8: 0 given, 1 learned as rationale, 2 learned as answer (or its end)
rows.bin     per row: the first place after it in tokens.bin and parts.bin, and the first place after its id in
             ids.bin, both int64
ids.bin      every row's id in UTF-8, each with a line feed behind it
"""

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cotdistill.training.prepare.token_row import RATIONALE, TokenRow

TOKENS, PARTS, ROWS, IDS = FILES = ("tokens.bin", "parts.bin", "rows.bin", "ids.bin")
COLUMNS = 2
"""Numbers per row in rows.bin."""


class Written(NamedTuple):
    """What a token file holds."""

    rows: int
    tokens: int
    supervised_tokens: int
    rationale_tokens: int
    """Those of them that are known to be of a rationale."""


def write_rows(rows: Iterable[TokenRow], folder: Path) -> Written:
    """Write the rows into an existing folder and return their counts."""
    count, end, id_end, supervised, rationale = 0, 0, 0, 0, 0
    with (
        (folder / TOKENS).open("wb") as tokens,
        (folder / PARTS).open("wb") as parts,
        (folder / ROWS).open("wb") as index,
        (folder / IDS).open("wb") as ids,
    ):
        for row in rows:
            end += len(row.input_ids)
            id_end += ids.write(_encoded(row.id))
            array("I", row.input_ids).tofile(tokens)
            parts.write(row.parts)
            array("q", (end, id_end)).tofile(index)
            count += 1
            supervised += row.supervised_tokens
            rationale += row.parts.count(RATIONALE)
    return Written(count, end, supervised, rationale)


class TokenFile:
    """The rows of a folder, read as they are asked for: a data set as torch's DataLoader takes it.

    With `part_weights`, of a rationale's and of an answer's tokens, rows come with the weight of each token.
    """

    def __init__(self, folder: Path, *, part_weights: tuple[float, float] | None = None) -> None:
        import numpy as np

        self._weight_of = None if part_weights is None else (0.0, *part_weights)

        self._index = np.memmap(folder / ROWS, np.int64, mode="r").reshape(-1, COLUMNS)
        self._tokens = np.memmap(folder / TOKENS, np.uint32, mode="r")
        self._parts = np.memmap(folder / PARTS, np.uint8, mode="r")
        self._ids = np.memmap(folder / IDS, np.uint8, mode="r")

    @property
    def lengths(self) -> "array[int]":
        """Tokens of each row."""
        import numpy as np

        return array("q", np.diff(self._index[:, 0], prepend=0).tobytes())

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, number: int) -> TokenRow:
        end, id_end = self._index[number]
        start, id_start = self._index[number - 1] if number else (0, 0)
        row_id = _decoded(self._ids[id_start:id_end].tobytes())
        parts = self._parts[start:end].tobytes()
        weights = None if self._weight_of is None else [self._weight_of[part] for part in parts]
        return TokenRow(self._tokens[start:end].tolist(), parts, row_id, weights)


def _encoded(row_id: str) -> bytes:
    """Return an id's bytes; half a surrogate pair, which a foreign row may hold, goes through."""
    return row_id.encode("utf-8", "surrogatepass") + b"\n"


def _decoded(stored: bytes) -> str:
    return stored[:-1].decode("utf-8", "surrogatepass")
