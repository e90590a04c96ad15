import itertools

import pytest

from cotdistill.scoring.attempts import Attempt, maj_at_k, majority_share, pass_at, pass_at_k


def test_pass_at_k_is_the_share_of_draws_with_a_right_one():
    for n, k in itertools.product(range(1, 8), range(1, 8)):
        for right in range(n + 1) if k <= n else ():
            drawn = list(itertools.combinations([True] * right + [False] * (n - right), k))
            assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))


@pytest.mark.parametrize(("n", "right", "k"), [(3, 4, 1), (3, 1, 0), (3, 1, 4), (3, -1, 1)])
def test_impossible_counts_are_refused(n, right, k):
    with pytest.raises(ValueError, match="right of"):
        pass_at_k(n, right, k)


def attempts(*finals):
    """Return attempts at a problem whose gold is 7."""
    return [Attempt(final == "7", final) for final in finals]


def test_pass_at_goes_up_in_powers_of_two_to_what_every_problem_has():
    found = pass_at([attempts("7", "8", "9", "1", "2", "3"), attempts(*"777777")])
    assert list(found) == [1, 2, 4, 6]
    assert found[1] == pytest.approx((1 / 6 + 1) / 2)
    assert found[6] == 1.0
    assert list(pass_at([attempts("7", "8", "9"), attempts("7")])) == [1]
    assert pass_at([]) == {}


@pytest.mark.parametrize(
    ("finals", "share"),
    [
        (("7", "7", "8"), 1.0),
        (("7", "8", "8"), 0.0),
        (("7", "8"), 0.5),
        (("7", "8", "9", None), 1 / 3),
        (("7", None, None, None), 1.0),
        ((None, None), 0.0),
        (("1,000", "$1000", " 1000.", "7", "7"), 0.0),
        ((), 0.0),
    ],
)
def test_the_answer_that_most_attempts_give_counts(finals, share):
    assert majority_share(attempts(*finals)) == pytest.approx(share)


def test_right_answers_are_one_answer_however_they_are_written():
    found = [Attempt(True, "7"), Attempt(True, "7.0"), Attempt(True, None), Attempt(False, "8"), Attempt(False, "8")]
    assert majority_share(found) == 1.0


def test_maj_at_k_is_a_mean_over_problems():
    assert maj_at_k([attempts("7", "7", "8"), attempts("8", "8", "7")]) == 0.5
    assert maj_at_k([]) is None
