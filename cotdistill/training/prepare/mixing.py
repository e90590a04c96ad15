"""Several sets of conversations -> one, by shares: general data beside rationales, against forgetting.

A set without a weight is taken whole. A weight is the share of all rows that the set gets; which of its rows is drawn
by seed, and none is taken twice.
"""

import heapq
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from cotdistill.records import Conversation
from cotdistill.storage.keys import draw
from cotdistill.training.option_types import Share

log = logging.getLogger(__name__)

Read = Callable[[str], Iterable[Conversation]]
"""Name of a set -> its rows, as often as it is asked."""


def mix(shares: Sequence[Share], read: Read, count: Callable[[str], int], *, seed: int) -> Iterator[Conversation]:
    """Yield the rows of all sets, one set after the other, each in its own order; training shuffles them.

    `count` gives the number of rows of a set, and is asked only where there are weights.
    """
    if all(share.weight is None for share in shares):
        for share in shares:
            yield from read(share.name)
        return
    sizes = {share.name: count(share.name) for share in shares}
    for name, wanted in rows_per_dataset(shares, sizes).items():
        if wanted > sizes[name]:
            log.warning("%s has %d rows of the %d that its weight asks for: all are taken", name, sizes[name], wanted)
        chosen = _chosen(name, sizes[name], wanted, seed)
        log.info("%s: %d of %d rows", name, len(chosen), sizes[name])
        yield from (row for number, row in enumerate(read(name)) if number in chosen)


def rows_per_dataset(shares: Sequence[Share], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows of each set make up the shares; where all have weights, the most that these sets allow."""
    weighted = {share.name: share.weight for share in shares if share.weight is not None}
    whole = {share.name: sizes[share.name] for share in shares if share.weight is None}
    if whole:
        total = sum(whole.values()) / (1 - sum(weighted.values()))
    else:
        total = min(sizes[name] / weight for name, weight in weighted.items())
    return {share.name: whole.get(share.name, round(weighted.get(share.name, 0) * total)) for share in shares}


def _chosen(name: str, size: int, wanted: int, seed: int) -> Collection[int]:
    """Return numbers of rows, those with the smallest hashes, so that a longer set keeps most of its choice."""
    if wanted >= size:
        return range(size)
    return set(heapq.nsmallest(wanted, range(size), key=lambda number: draw(seed, name, number)))
