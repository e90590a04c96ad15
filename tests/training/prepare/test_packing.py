"""Rows in bins: every row once, no bin too full, none emptier than it must be."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.training.prepare.packing import pack, unpacked

LENGTHS = st.lists(st.integers(1, 50), max_size=60)


def _naive(lengths, capacity):
    """Best fit decreasing as it is written in books: each row into the fullest bin that has room."""
    bins = []
    for length in sorted(lengths, reverse=True):
        with_room = [found for found in bins if sum(found) + length <= capacity]
        fullest = max(with_room, key=sum, default=None)
        if fullest is None:
            bins.append([length])
        else:
            fullest.append(length)
    return sorted(sum(found) for found in bins)


@given(LENGTHS, st.integers(50, 200))
def test_every_row_is_in_one_bin_and_bins_are_those_of_best_fit(lengths, capacity):
    bins = pack(lengths, capacity)
    assert sorted(bins.rows) == list(range(len(lengths)))
    held = [sum(lengths[row] for row in bins[number]) for number in range(len(bins))]
    assert held == list(bins.tokens)
    assert sorted(held) == _naive(lengths, capacity)


def test_the_same_lengths_come_to_the_same_bins():
    drawn = random.Random(1)
    lengths = [drawn.randint(1, 100) for _ in range(500)]
    assert pack(lengths, 128) == pack(list(lengths), 128)


def test_bins_of_lengths_like_those_of_real_rationales_are_full():
    drawn = random.Random(1)
    lengths = [min(4096, max(30, int(drawn.lognormvariate(6.3, 0.6)))) for _ in range(5000)]
    assert pack(lengths, 4096).fill(4096) > 0.99


def test_a_row_longer_than_a_bin_is_refused():
    with pytest.raises(ValueError, match="row 1 has 11 tokens, a bin 10"):
        pack([3, 11], 10)


def test_without_packing_each_row_is_a_bin():
    bins = unpacked([5, 3, 9])
    assert [list(bins[number]) for number in range(len(bins))] == [[0], [1], [2]]
    assert list(bins.tokens) == [5, 3, 9]
