import random

import pytest

from cotdistill.errors import UserError
from cotdistill.scoring.clustered import ProblemResult
from cotdistill.scoring.paired import adjust, compare_paired
from cotdistill.scoring.statistics import PairCounts, mcnemar_p, paired_difference


def arm(rights, *, k=1, languages=1):
    """Return results by problem id; problems that share a question are one cluster."""
    return {f"{i}": ProblemResult(right, k, f"{i // languages}") for i, right in enumerate(rights)}


def test_single_answers_have_newcombes_interval_and_mcnemars_p():
    here, there = [1] * 59 + [1] * 6 + [0] * 16 + [0] * 80, [1] * 59 + [0] * 6 + [1] * 16 + [0] * 80
    found = compare_paired(arm(here), arm(there))
    plain = paired_difference(PairCounts(59, 6, 16, 80))
    assert (found.difference, found.ci95, found.p) == (plain.difference, plain.ci95, plain.mcnemar_p)
    assert (found.counts, found.n, found.clusters, found.is_clustered) == (plain.counts, 161, 161, False)


def test_only_problems_that_both_were_asked_count():
    found = compare_paired(arm([1, 0, 1]), {"1": ProblemResult(1, 1, "1"), "9": ProblemResult(1, 1, "9")})
    assert found.counts == PairCounts(0, 0, 1, 0)


def test_several_attempts_have_no_pairs_and_a_bootstrap_interval():
    rng = random.Random(1)
    easy = [rng.random() for _ in range(200)]
    here = arm([sum(rng.random() < e for _ in range(4)) for e in easy], k=4)
    there = arm([sum(rng.random() < 0.6 * e for _ in range(4)) for e in easy], k=4)
    found = compare_paired(here, there)
    assert (found.counts, found.mcnemar_p, found.is_clustered) == (None, None, True)
    assert 0 < found.ci95.low < found.difference < found.ci95.high < 1
    assert found.p < 0.001
    mirrored = compare_paired(there, here)
    assert mirrored.difference == -found.difference
    assert mirrored.p == found.p


def test_languages_of_a_question_keep_their_counts_and_lose_certainty():
    rng = random.Random(2)
    here, there = [], []
    for _ in range(60):
        tilt = rng.random() < 0.6
        here += [int(tilt)] * 11
        there += [int(not tilt)] * 11
    found = compare_paired(arm(here, languages=11), arm(there, languages=11))
    assert found.counts == PairCounts(0, sum(here), sum(there), 0)
    assert found.mcnemar_p == mcnemar_p(sum(here), sum(there))
    assert found.p > 5 * found.mcnemar_p
    assert (found.n, found.clusters) == (660, 60)


def test_arms_that_never_differ_still_have_an_interval_of_some_width():
    found = compare_paired(arm([4] * 50, k=4), arm([4] * 50, k=4))
    assert found.difference == 0
    assert found.ci95.low < -0.01
    assert found.ci95.high > 0.01
    assert found.p == 1.0


def test_arms_without_a_common_problem_are_refused():
    with pytest.raises(UserError, match="no problem in common"):
        compare_paired(arm([1]), {})


def test_p_values_are_adjusted_for_the_number_of_tasks():
    one, other = compare_paired(arm([1] * 6), arm([0] * 6)), compare_paired(arm([1] * 9), arm([0] * 9))
    found = adjust({"a": one, "b": other})
    assert found["a"].p_holm == one.p == 2 / 2**6
    assert found["b"].p_holm == 2 * other.p
    assert adjust({"a": one})["a"].p_holm == one.p
