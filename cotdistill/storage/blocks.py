"""Blocks of rows: what an engine's workers are handed, read where they are worked on."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from cotdistill.records import Record

R_co = TypeVar("R_co", bound=Record, covariant=True)
R = TypeVar("R", bound=Record)

BLOCK_BYTES = 1 << 18
"""About 70 reasoning rows: work of some ten milliseconds, so that handing a block over costs next to nothing."""
BLOCK_ROWS = 64


def line_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines of a file, BLOCK_BYTES and a little more at a time, and the number of the first of them."""
    first = 1
    with path.open("rb") as file:
        while data := file.read(BLOCK_BYTES):
            data += file.readline()
            yield first, data
            first += data.count(b"\n")


class Block(Protocol[R_co]):
    """Neighbouring rows; it can be pickled."""

    def rows(self) -> Iterator[R_co]:
        """Yield the rows. Raises: UserError that names file, line and key."""
        ...


@runtime_checkable
class Blocked(Protocol[R_co]):
    """Rows that come in blocks, too."""

    def blocks(self) -> Iterator[Block[R_co]]:
        """Yield all rows in order, block by block."""
        ...


@runtime_checkable
class Checked(Protocol):
    """Rows in blocks, each of which has findings that are looked at where all blocks are known."""

    def settle(self, findings: Any, /) -> Sequence[bool]:  # Any: what its blocks find
        """Return which rows of a block are wanted; called for each block, in order. Raises: UserError."""
        ...

    def finish(self) -> None:
        """Return if all blocks together are well. Raises: UserError."""
        ...


@dataclass(frozen=True)
class RowBlock(Generic[R]):
    """Rows that are in memory."""

    held: tuple[R, ...]

    def rows(self) -> Iterator[R]:
        """Yield the rows."""
        return iter(self.held)


def blocks_of(rows: Iterable[R]) -> Iterator[Block[R]]:
    """Yield rows in blocks: those of their source, where it has some."""
    if isinstance(rows, Blocked):
        yield from rows.blocks()
        return
    left = iter(rows)
    while held := tuple(itertools.islice(left, BLOCK_ROWS)):
        yield RowBlock(held)


@dataclass(frozen=True)
class EncodedBlock(Generic[R]):
    """Rows as they are stored: JSON each."""

    held: tuple[bytes, ...]
    record: type[R]

    def rows(self) -> Iterator[R]:
        """Yield the rows."""
        return map(self.record.model_validate_json, self.held)


def encoded_blocks(rows: Iterable[bytes], record: type[R]) -> Iterator[Block[R]]:
    """Yield encoded rows in blocks."""
    left = iter(rows)
    while held := tuple(itertools.islice(left, BLOCK_ROWS)):
        yield EncodedBlock(held, record)
