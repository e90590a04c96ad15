import math
import random

import pytest

from cotdistill.scoring.bootstrap import FEW_KINDS, binomial, bootstrap_interval


@pytest.mark.parametrize("kinds", [2, 300], ids=["few kinds", "every one another"])
@pytest.mark.parametrize("sizes", [(1,), (1, 2, 3)], ids=["alike", "of several sizes"])
def test_the_interval_of_many_clusters_is_the_normal_one(kinds, sizes):
    rng = random.Random(2)
    clusters = []
    for _ in range(600):
        n = rng.choice(sizes)
        clusters.append((n * rng.randrange(kinds) / (kinds - 1), n))
    assert (len(set(clusters)) * FEW_KINDS <= len(clusters)) == (kinds == 2)
    values = sum(n for _, n in clusters)
    mean = sum(total for total, _ in clusters) / values
    error = math.sqrt(sum((total - n * mean) ** 2 for total, n in clusters)) / values
    found = bootstrap_interval(clusters, seed=1)
    assert found == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.25 * error)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    clusters = [(i % 7 / 7, 1) for i in range(50)]
    assert bootstrap_interval(clusters, seed=1) == bootstrap_interval(clusters, seed=1)
    assert bootstrap_interval(clusters, seed=1) != bootstrap_interval(clusters, seed=2)


def test_no_cluster_is_refused():
    with pytest.raises(ValueError, match="no cluster"):
        bootstrap_interval([], seed=1)


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (10, 0.1), (1000, 0.731), (14042, 1 / 3), (7, 0.9)])
def test_binomials_have_their_mean_and_variance(n, p):
    rng = random.Random(4)
    drawn = [binomial(rng, n, p) for _ in range(4000)]
    assert all(0 <= x <= n for x in drawn)
    mean, variance = n * p, n * p * (1 - p)
    found = sum(drawn) / len(drawn)
    assert found == pytest.approx(mean, abs=5 * math.sqrt(variance / len(drawn)))
    assert sum((x - found) ** 2 for x in drawn) / len(drawn) == pytest.approx(variance, rel=0.15)


@pytest.mark.parametrize(("p", "n"), [(0.0, 0), (1.0, 20)])
def test_certain_trials_are_certain(p, n):
    assert binomial(random.Random(1), 20, p) == n
