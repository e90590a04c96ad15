import random

import pytest

from cotdistill.scoring.clustered import ProblemResult, clustered_error, estimate_accuracy
from cotdistill.scoring.statistics import wilson


def alone(rights):
    return [ProblemResult(right, 1, str(i)) for i, right in enumerate(rights)]


def test_answers_that_stand_alone_have_wilsons_interval():
    found = estimate_accuracy(alone([1, 1, 1, 0, 0, 1, 0]))
    assert found.accuracy == pytest.approx(4 / 7)
    assert found.ci95 == pytest.approx(wilson(4, 7))
    assert (found.n, found.problems, found.clusters) == (7, 7, 7)


def test_the_mean_is_over_problems_and_not_over_answers():
    found = estimate_accuracy([ProblemResult(1, 1, "a"), ProblemResult(0, 3, "b")])
    assert found.accuracy == 0.5
    assert (found.n, found.problems) == (4, 2)


def test_attempts_that_agree_are_worth_one_each_and_independent_ones_are_worth_themselves():
    rng = random.Random(3)
    hard = [rng.random() < 0.6 for _ in range(400)]
    same = estimate_accuracy([ProblemResult(4 * right, 4, str(i)) for i, right in enumerate(hard)])
    once = estimate_accuracy(alone(hard))
    assert same.ci95 == pytest.approx(once.ci95, abs=0.001)
    drawn = [ProblemResult(sum(rng.random() < 0.6 for _ in range(4)), 4, str(i)) for i in range(400)]
    free = estimate_accuracy(drawn)
    assert free.ci95.high - free.ci95.low == pytest.approx((once.ci95.high - once.ci95.low) / 2, rel=0.1)


def test_languages_of_a_question_widen_the_interval():
    rng = random.Random(5)
    hard = [rng.random() for _ in range(50)]
    rows = [(int(rng.random() < h), str(i)) for i, h in enumerate(hard) for _ in range(11)]
    together = estimate_accuracy([ProblemResult(right, 1, question) for right, question in rows])
    apart = estimate_accuracy(alone([right for right, _ in rows]))
    assert together.accuracy == apart.accuracy
    assert together.ci95.high - together.ci95.low > 1.5 * (apart.ci95.high - apart.ci95.low)


@pytest.mark.parametrize("right", [0, 4])
def test_all_wrong_and_all_right_have_the_interval_of_the_clusters(right):
    found = estimate_accuracy([ProblemResult(right, 4, str(i)) for i in range(30)])
    assert found.ci95 == wilson(30 * right // 4, 30)


def test_an_interval_never_claims_more_than_its_answers():
    alike = [ProblemResult(2, 4, str(i)) for i in range(30)]
    assert estimate_accuracy(alike).ci95 == pytest.approx(wilson(60, 120))


def test_nothing_asked_has_no_accuracy():
    assert estimate_accuracy([]) is None


def test_one_cluster_has_no_error_to_speak_of():
    assert clustered_error([(1.0, "a"), (0.0, "a")]) == 0.0
