"""1,000 random tables: our numbers beside scipy's and statsmodels' (extra `dev`), and beside the formulas by hand."""

import itertools
import math
import random

import pytest

from cotdistill.scoring.clustered import clustered_error
from cotdistill.scoring.statistics import Z95, holm, mcnemar_p, wilson

TABLES = 1000


@pytest.fixture
def rng():
    return random.Random(11)


def test_wilson_intervals_agree_with_scipy(rng):
    binomtest = pytest.importorskip("scipy.stats").binomtest
    for _ in range(TABLES):
        n = rng.randint(1, 400)
        right = rng.randint(0, n)
        theirs = binomtest(right, n).proportion_ci(0.95, "wilson")
        assert wilson(right, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_intervals_agree_with_statsmodels(rng):
    confint = pytest.importorskip("statsmodels.stats.proportion").proportion_confint
    for _ in range(TABLES):
        n = rng.randint(1, 400)
        right = rng.randint(0, n)
        assert wilson(right, n) == pytest.approx(confint(right, n, method="wilson"), abs=1e-12)


def test_mcnemar_agrees_with_scipy(rng):
    binomtest = pytest.importorskip("scipy.stats").binomtest
    for _ in range(TABLES):
        gained, lost = rng.randint(0, 60), rng.randint(0, 60)
        theirs = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
        assert mcnemar_p(gained, lost) == pytest.approx(theirs, rel=1e-9)


def test_mcnemar_agrees_with_statsmodels(rng):
    mcnemar = pytest.importorskip("statsmodels.stats.contingency_tables").mcnemar
    for _ in range(TABLES):
        table = [[rng.randint(0, 90), rng.randint(0, 60)], [rng.randint(1, 60), rng.randint(0, 90)]]
        assert mcnemar_p(table[0][1], table[1][0]) == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-9)


def test_holm_agrees_with_statsmodels(rng, monkeypatch):
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    # It collects garbage at every call, which takes a hundred times as long as the rest.
    monkeypatch.setattr("gc.collect", lambda: 0)
    for _ in range(TABLES):
        p_values = [rng.random() ** rng.randint(1, 6) for _ in range(rng.randint(1, 12))]
        assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)


def test_clustered_errors_agree_with_statsmodels(rng):
    ols = pytest.importorskip("statsmodels.api").OLS
    for _ in range(TABLES):
        values = clustered_table(rng)
        groups = [int(cluster) for _, cluster in values]
        numbers = [value for value, _ in values]
        theirs = ols(numbers, [1.0] * len(values)).fit(cov_type="cluster", cov_kwds={"groups": groups})
        assert clustered_error(values) == pytest.approx(theirs.bse[0], rel=1e-9, abs=1e-12)


def clustered_table(rng):
    """Return values 0, 1/4 … 1 in 2 to 30 clusters of 1 to 11."""
    clusters = [(cluster, rng.random()) for cluster in range(rng.randint(2, 30))]
    return [
        (sum(rng.random() < share for _ in range(4)) / 4, str(cluster))
        for cluster, share in clusters
        for _ in range(rng.randint(1, 11))
    ]


def test_wilson_bounds_solve_the_equation_that_defines_them(rng):
    for _ in range(TABLES):
        n = rng.randint(1, 400)
        right = rng.randint(0, n)
        for bound in wilson(right, n):
            distance = abs(right / n - bound)
            assert distance == pytest.approx(Z95 * math.sqrt(bound * (1 - bound) / n), abs=1e-9)


def test_mcnemar_is_the_share_of_sign_patterns_as_far_from_even():
    for gained, lost in itertools.product(range(7), range(7)):
        n = gained + lost
        patterns = [sum(signs) for signs in itertools.product((1, -1), repeat=n)]
        extreme = sum(abs(total) >= abs(gained - lost) for total in patterns)
        assert mcnemar_p(gained, lost) == pytest.approx(extreme / len(patterns))


def test_holm_rejects_what_the_step_down_rule_rejects(rng):
    for _ in range(TABLES):
        p_values = [rng.random() ** 3 for _ in range(rng.randint(1, 9))]
        rejected = set()
        for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[i] > 0.05 / (len(p_values) - rank):
                break
            rejected.add(i)
        assert {i for i, p in enumerate(holm(p_values)) if p <= 0.05} == rejected


def test_clustered_errors_are_those_of_cluster_means_where_clusters_are_alike_in_size(rng):
    for _ in range(TABLES):
        size, clusters = rng.randint(1, 6), rng.randint(2, 20)
        values = [(rng.random(), str(i)) for i in range(clusters) for _ in range(size)]
        means = [sum(v for v, c in values if c == str(i)) / size for i in range(clusters)]
        middle = sum(means) / clusters
        variance = sum((m - middle) ** 2 for m in means) / (clusters - 1) / clusters
        assert clustered_error(values) == pytest.approx(math.sqrt(variance))
