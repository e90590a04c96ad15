import random

import pytest

from cotdistill.scoring.smallest_difference import smallest_clustered_difference, smallest_difference
from cotdistill.scoring.statistics import mcnemar_p


def power(n, discordant_share, difference, rng, draws=1500):
    """Return how often McNemar's test finds a true difference."""
    gained_share = (discordant_share + difference) / 2
    found = 0
    for _ in range(draws):
        points = [rng.random() for _ in range(n)]
        gained = sum(x < gained_share for x in points)
        lost = sum(gained_share <= x < discordant_share for x in points)
        found += mcnemar_p(gained, lost) < 0.05
    return found / draws


def test_the_smallest_difference_is_found_four_times_of_five():
    found = smallest_difference(300, 60)
    assert found.basis == "pairs that differ"
    # The exact test is a little stricter than the formula's.
    assert power(300, 0.2, found.difference, random.Random(6)) == pytest.approx(0.78, abs=0.04)


def test_more_questions_show_smaller_differences_and_more_disagreement_hides_them():
    assert smallest_difference(1200, 240).difference == pytest.approx(
        smallest_difference(300, 60).difference / 2, rel=0.1
    )
    assert smallest_difference(300, 120).difference > smallest_difference(300, 60).difference


def test_where_hardly_a_pair_differs_the_worst_case_is_told():
    found = smallest_difference(300, 2)
    assert found.basis == "worst case"
    assert 0.01 < found.difference < 0.05


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_handful_of_questions_shows_nothing(n):
    assert smallest_difference(n, 0).difference is None


def test_a_clustered_difference_follows_from_its_error():
    assert smallest_clustered_difference(0.01).difference == pytest.approx(0.028, abs=1e-4)
    assert smallest_clustered_difference(0.0).difference is None
