"""Row by row through an engine: rows are handed out in blocks, and what is made of them comes back in their order."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import compress
from typing import Any, TypeVar

from cotdistill.engines import Engine
from cotdistill.records import Record
from cotdistill.storage.blocks import Block, Checked, blocks_of

R = TypeVar("R", bound=Record)
U = TypeVar("U")

Made = tuple[list[U], Any]  # Any: a block's findings


def map_rows(engine: Engine, setup: Callable[[], Callable[[R], U]], rows: Iterable[R]) -> Iterator[U]:
    """Yield `setup()(row)` for each row, in order; see `Engine.map_blocks` for `setup`.

    Rows that their source does not want, once it has seen what the block found, are left out.
    """
    checked = rows if isinstance(rows, Checked) else None
    for made, findings in engine.map_blocks(partial(_set_up, setup), blocks_of(rows)):
        yield from compress(made, checked.settle(findings)) if checked else made
    if checked:
        checked.finish()


def _set_up(setup: Callable[[], Callable[[R], U]]) -> Callable[[Block[R]], Made[U]]:
    return partial(_apply, setup())


def _apply(function: Callable[[R], U], block: Block[R]) -> Made[U]:
    made = [function(row) for row in block.rows()]
    return made, getattr(block, "findings", None)
