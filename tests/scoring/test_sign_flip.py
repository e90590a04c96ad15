import itertools
import random
from fractions import Fraction

import pytest

from cotdistill.scoring import sign_flip
from cotdistill.scoring.sign_flip import sign_flip_p
from cotdistill.scoring.statistics import mcnemar_p


def by_hand(sums):
    totals = [
        sum(s * v for s, v in zip(signs, sums, strict=True)) for signs in itertools.product((1, -1), repeat=len(sums))
    ]
    return sum(abs(total) >= abs(sum(sums)) for total in totals) / len(totals)


def test_p_is_the_share_of_all_sign_patterns_as_far_from_none():
    rng = random.Random(8)
    for _ in range(300):
        sums = [Fraction(rng.randint(-6, 6), rng.choice((1, 2, 3, 4))) for _ in range(rng.randint(1, 9))]
        assert sign_flip_p(sums) == pytest.approx(by_hand(sums)), sums


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (12, 2), (400, 320)])
def test_single_answers_have_mcnemars_p(gained, lost):
    sums = [Fraction(x) for x in [1] * gained + [-1] * lost + [0] * 9]
    assert sign_flip_p(sums) == mcnemar_p(gained, lost)
    assert sign_flip_p([x / 4 for x in sums]) == mcnemar_p(gained, lost)


def test_many_clusters_have_nearly_the_same_p_by_the_normal_distribution(monkeypatch):
    rng = random.Random(9)
    sums = [Fraction(rng.randint(-4, 5), 4) for _ in range(400)]
    exact = sign_flip_p(sums)
    monkeypatch.setattr(sign_flip, "MOST_BITS", 0)
    assert sign_flip_p(sums) != exact
    assert sign_flip_p(sums) == pytest.approx(exact, rel=0.05)
