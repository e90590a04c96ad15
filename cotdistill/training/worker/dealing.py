"""The rows of one optimiser step, dealt over processes and micro-steps by length, so that none waits for another.

Which rows a step learns from does not depend on it, and the loss is that of the step as a whole: dealt in another
way, the weights are the same up to the order in which floats are added. Work is counted in tokens; what attention
does more for long rows is a few percent of it at 4,096 tokens in a model of 7 B.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias


class Places(NamedTuple):
    """Where rows of one optimiser step can go."""

    ranks: int
    """Processes on all machines."""
    micro_steps: int
    rows: int
    """Rows of the longest kind that a micro-step of one process has memory for."""
    tokens: int
    """Tokens that it has memory for: `rows` times the longest row of the set."""

    @property
    def total(self) -> int:
        """Rows of a full step."""
        return self.ranks * self.micro_steps * self.rows

    def for_rows(self, count: int) -> "Places":
        """Return places for a step that may have fewer rows: as many micro-steps as they need."""
        return self._replace(micro_steps=min(self.micro_steps, -(-count // (self.ranks * self.rows))))


Dealt: TypeAlias = list[list[list[int]]]
"""`[micro-step][rank]`: numbers of rows; an empty list where there are too few."""
Deal: TypeAlias = Callable[[Sequence[int], Places], Dealt]
"""Tokens of each row of a step, places -> who learns from which."""


def deal_end_to_end(tokens: Sequence[int], places: Places) -> Dealt:
    """Deal rows that are laid end to end: a micro-step takes as long as the sum of its rows.

    Short rows may be more than `places.rows` in a micro-step: its memory is that of its tokens.
    """
    counts = {max(1, places.micro_steps >> halvings) for halvings in range(places.micro_steps.bit_length())}
    found = [_in_order(tokens, _spread(tokens, count * places.ranks), places) for count in sorted(counts)]
    fitting = [dealt for dealt in found if _largest(tokens, dealt) <= places.tokens]
    # What always fits: nowhere more rows than there is memory for at their longest.
    plain = _in_order(tokens, _spread(tokens, places.micro_steps * places.ranks, at_most=places.rows), places)
    return min([*fitting, plain], key=lambda dealt: duration(tokens, dealt))


def deal_padded(tokens: Sequence[int], places: Places) -> Dealt:
    """Deal rows that are filled up to the longest of their micro-step: rows of one length go together."""
    by_length = sorted(range(len(tokens)), key=lambda number: (-tokens[number], number))
    size = max(1, -(-len(tokens) // (places.ranks * places.micro_steps)))
    groups = [by_length[start : start + size] for start in range(0, len(by_length), size)]
    return _in_order(tokens, groups, places)


def duration(tokens: Sequence[int], dealt: Dealt) -> int:
    """Return the tokens that a step lasts, where ranks wait for each other in every micro-step."""
    return sum(max(sum(tokens[row] for row in rows) for rows in ranks) for ranks in dealt)


def _in_order(tokens: Sequence[int], parts: Sequence[list[int]], places: Places) -> Dealt:
    """Return parts as micro-steps, the largest first, as ranks meet in each; who had least has the largest next."""
    sums = [sum(tokens[row] for row in part) for part in parts]
    order = sorted(range(len(parts)), key=lambda number: -sums[number])
    loads = [0] * places.ranks
    dealt: Dealt = []
    for start in range(0, places.micro_steps * places.ranks, places.ranks):
        ranks: list[list[int]] = [[] for _ in loads]
        by_load = sorted(range(places.ranks), key=loads.__getitem__)
        for rank, part in zip(by_load, order[start : start + places.ranks], strict=False):
            ranks[rank] = parts[part]
            loads[rank] += sums[part]
        dealt.append(ranks)
    return dealt


def _largest(tokens: Sequence[int], dealt: Dealt) -> int:
    return max(sum(tokens[row] for row in rows) for ranks in dealt for rows in ranks)


def _spread(costs: Sequence[int], count: int, *, at_most: int | None = None) -> list[list[int]]:
    """Return `count` lists of numbers with sums of cost as equal as longest-first makes them (Graham 1969)."""
    parts: list[list[int]] = [[] for _ in range(count)]
    loads = [(0, part) for part in range(count)]
    for number in sorted(range(len(costs)), key=lambda number: (-costs[number], number)):
        load, part = heapq.heappop(loads)
        parts[part].append(number)
        if len(parts[part]) != at_most:
            heapq.heappush(loads, (load + costs[number], part))
    return parts
