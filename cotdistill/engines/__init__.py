"""Engines: where blocks of rows are worked on, in processes of this machine or on a cluster.

A stage cuts its rows into blocks and says what is made of one block. An engine decides where that is done; the
results, their order and their bytes are the same with every engine and any number of workers. `limited` makes calls
that may never end.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Engine(Protocol):
    """Where blocks are worked on."""

    def map_blocks(self, setup: Callable[[], Callable[[T], U]], blocks: Iterable[T]) -> Iterator[U]:
        """Yield `setup()(block)` for each block, in the order of the blocks.

        `setup` is called once in each worker, before its first block, and returns what is applied to every block:
        models, indexes and verifiers are built there. It, the blocks and the results can be pickled: `setup` is a
        function of a module or a `functools.partial` of one. What it returns need not be picklable, and depends on
        its block alone, for a block is done again where its worker died.

        Blocks are taken from the iterable as results are taken from the iterator, a bounded number ahead. A worker
        that dies costs time only; a block that ends several workers in a row raises TryAgainLater. An exception of
        `setup` or of its function is raised here, that of a block at the block's place. Closing the iterator ends the
        workers; they end with this process too, however that ends.
        """
        ...
