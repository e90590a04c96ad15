"""Token rows on disk: two flat files that training processes map into memory, whatever their size.

tokens.bin   every row's token ids, one after the other, uint32
rows.bin     per row: the first place after it in tokens.bin, and the length of its prompt, both int64
"""

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cotdistill.training.prepare.tokens import TokenRow

TOKENS, ROWS = "tokens.bin", "rows.bin"


class Written(NamedTuple):
    """What a token file holds."""

    rows: int
    tokens: int
    supervised_tokens: int


def write_rows(rows: Iterable[TokenRow], folder: Path) -> Written:
    """Write the rows into an existing folder and return their counts."""
    count, end, supervised = 0, 0, 0
    with (folder / TOKENS).open("wb") as tokens, (folder / ROWS).open("wb") as index:
        for row in rows:
            end += len(row.input_ids)
            array("I", row.input_ids).tofile(tokens)
            array("q", (end, row.prompt_length)).tofile(index)
            count += 1
            supervised += len(row.input_ids) - row.prompt_length
    return Written(count, end, supervised)


class TokenFile:
    """The rows of a folder, read as they are asked for: a data set as torch's DataLoader takes it."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        self._index = np.memmap(folder / ROWS, np.int64, mode="r").reshape(-1, 2)
        self._tokens = np.memmap(folder / TOKENS, np.uint32, mode="r")

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, number: int) -> TokenRow:
        end, prompt_length = self._index[number]
        start = self._index[number - 1][0] if number else 0
        return TokenRow(self._tokens[start:end].tolist(), int(prompt_length))
