"""Rows of a step over ranks and micro-steps: each once, within memory, and as much work for all."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.training.worker.dealing import Places, deal_end_to_end, deal_padded, duration

DEALS = [deal_end_to_end, deal_padded]


@pytest.mark.parametrize("deal", DEALS)
@given(st.data(), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))
def test_every_row_is_dealt_once_within_the_memory_of_a_micro_step(deal, data, ranks, micro_steps, rows):
    longest = 40
    places = Places(ranks, micro_steps, rows, rows * longest)
    lengths = data.draw(st.lists(st.integers(1, longest), min_size=1, max_size=places.total))
    places = places.for_rows(len(lengths))
    dealt = deal(lengths, places)
    assert [len(found) for found in dealt] == [ranks] * places.micro_steps
    assert sorted(row for found in dealt for rows in found for row in rows) == list(range(len(lengths)))
    held = [[lengths[row] for row in rows] for found in dealt for rows in found]
    if deal is deal_padded:
        held = [[max(rows)] * len(rows) for rows in held if rows]
    assert max(map(sum, held)) <= places.tokens
    assert dealt == deal(list(lengths), places)


def _steps(seed, count=50, rows=32):
    """Return lengths as those of 497 answers of R1 to GSM8K: 1,193 tokens on average, logarithms with sigma 0.33."""
    drawn = random.Random(seed)
    return [[min(3600, int(drawn.lognormvariate(7.03, 0.33))) for _ in range(rows)] for _ in range(count)]


@pytest.mark.parametrize(("micro_steps", "rows", "share"), [(1, 4, 0.94), (2, 2, 0.94), (4, 1, 0.91)])
def test_eight_ranks_work_94_percent_of_the_time_on_32_rows_of_real_lengths(micro_steps, rows, share):
    places = Places(8, micro_steps, rows, rows * 3600)
    steps = _steps(seed=1)
    lasted = sum(duration(lengths, deal_end_to_end(lengths, places)) for lengths in steps)
    assert sum(map(sum, steps)) / 8 / lasted > share
    as_they_come = [[list(range(4 * rank, 4 * rank + 4)) for rank in range(8)]]
    assert sum(map(sum, steps)) / 8 / sum(duration(lengths, as_they_come) for lengths in steps) < 0.85


def test_padded_rows_of_one_length_go_together():
    lengths = [100, 10, 99, 11, 98, 12, 97, 13]
    dealt = deal_padded(lengths, Places(2, 1, 4, 400))
    assert sorted(sorted(lengths[row] for row in rows) for rows in dealt[0]) == [[10, 11, 12, 13], [97, 98, 99, 100]]


def test_too_few_rows_leave_places_empty():
    for deal in DEALS:
        assert sorted(deal([7], Places(3, 1, 2, 14))[0]) == [[], [], [0]]
