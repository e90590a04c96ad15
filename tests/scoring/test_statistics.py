import itertools
import math

import pytest

from cotdistill.errors import UserError
from cotdistill.scoring.statistics import (
    Interval,
    PairCounts,
    mcnemar_p,
    pair_up,
    paired_difference,
    wilson,
)


# Newcombe 1998, Stat. Med. 17:857, table I, method 3.
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_agrees_with_the_published_table(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_is_exact_at_both_ends_and_mirrored():
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0
    low, high = wilson(3, 7)
    assert wilson(4, 7) == pytest.approx((1 - high, 1 - low))


def test_nothing_asked_leaves_the_whole_range_open():
    assert wilson(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize(("right", "n"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(right, n):
    with pytest.raises(ValueError, match="right of"):
        wilson(right, n)


# (59, 6, 16, 80): the test value of R's contingencytables 3, chapter 8 (its tests/testthat/test-ch8.R).
# (36, 12, 2, 0): Newcombe 1998, Stat. Med. 17:2635, method 10. (1, 1, 7, 12): Fagerland et al. 2014.
@pytest.mark.parametrize(
    ("counts", "difference", "low", "high"),
    [
        ((59, 6, 16, 80), -0.0621, -0.1186, -0.0046),
        ((36, 12, 2, 0), 0.2000, 0.0569, 0.3404),
        ((1, 1, 7, 12), -0.2857, -0.507, -0.026),
    ],
)
def test_paired_interval_agrees_with_published_examples(counts, difference, low, high):
    found = paired_difference(PairCounts(*counts))
    assert found.difference == pytest.approx(difference, abs=5e-5)
    assert found.ci95 == pytest.approx((low, high), abs=5e-4)


def test_swapping_the_arms_mirrors_the_difference():
    one, other = paired_difference(PairCounts(20, 9, 4, 7)), paired_difference(PairCounts(20, 4, 9, 7))
    assert other.difference == -one.difference
    assert other.ci95 == pytest.approx((-one.ci95.high, -one.ci95.low))
    assert other.mcnemar_p == one.mcnemar_p


def test_every_small_table_gives_an_interval_around_its_difference_within_one():
    for counts in itertools.product(range(6), repeat=4):
        if sum(counts):
            found = paired_difference(PairCounts(*counts))
            assert -1 <= found.ci95.low <= found.difference <= found.ci95.high <= 1, counts


def test_arms_that_never_differ_still_have_an_interval_of_some_width():
    found = paired_difference(PairCounts(both=300, gained=0, lost=0, neither=0))
    assert found.difference == 0
    assert found.ci95.low < -0.005
    assert found.ci95.high > 0.005
    assert found.mcnemar_p == 1.0


def test_arms_without_a_common_problem_are_refused():
    with pytest.raises(UserError, match="no problem in common"):
        paired_difference(PairCounts(0, 0, 0, 0))


# (12, 2): Armitage & Berry 1994 p. 127, P = 0.0129 by Liddell's exact test. (1, 7): 2 * (1 + 8) / 2**8.
@pytest.mark.parametrize(
    ("gained", "lost", "p"), [(12, 2, 0.0129395), (1, 7, 0.0703125), (5, 5, 1.0), (0, 0, 1.0), (5, 0, 0.0625)]
)
def test_mcnemar_p_is_the_doubled_binomial_tail(gained, lost, p):
    assert mcnemar_p(gained, lost) == pytest.approx(p, abs=5e-8 if p == 0.0703125 else 5e-7)
    assert mcnemar_p(lost, gained) == mcnemar_p(gained, lost)


def test_mcnemar_p_stays_finite_for_thousands_of_pairs():
    assert mcnemar_p(5000, 0) == 0.0
    gained, lost = 2600, 2400
    z = (abs(gained - lost) - 1) / math.sqrt(gained + lost)
    assert mcnemar_p(gained, lost) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


def test_pairs_are_counted_by_what_both_arms_did():
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    counts = pair_up(pairs)
    assert counts == PairCounts(both=1, gained=2, lost=1, neither=1)
    assert counts.n == 5
