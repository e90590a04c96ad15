import pytest

from cotdistill.report.scores import compare, summarize
from tests.support.exams import answer


def test_answers_are_counted_by_task_and_never_together():
    scores = summarize([answer("a", "0"), answer("a", "1", "wrong"), answer("b", "0", "wrong")])
    assert {task: (found.right, found.n) for task, found in scores.tasks.items()} == {"a": (1, 2), "b": (0, 1)}
    assert scores.only is None
    assert scores.mean_accuracy == 0.25
    assert scores.n == 3


def test_nothing_asked_has_no_mean():
    assert (summarize([]).n, summarize([]).mean_accuracy, summarize([]).only) == (0, None, None)


def test_the_first_right_and_the_first_other_answer_are_kept_as_samples():
    rows = [answer("a", f"p{i}", outcome) for i, outcome in enumerate(["wrong", "unparsed", "correct", "correct"])]
    assert [score.problem.id for score in summarize(rows).samples] == ["p2", "p0"]


def test_arms_are_paired_by_task_and_problem():
    here = summarize([answer("a", "0"), answer("a", "1"), answer("b", "0", "wrong")])
    there = summarize([answer("a", "1", "wrong"), answer("a", "0"), answer("c", "0")])
    found = compare(here, there)
    assert list(found) == ["a"]
    assert found["a"].counts == (1, 1, 0, 0)
    assert found["a"].difference == 0.5


@pytest.mark.parametrize("other", [[], [answer("b", "0")]])
def test_arms_without_a_common_question_have_no_difference(other):
    assert compare(summarize([answer("a", "0")]), summarize(other)) == {}


def test_groups_share_questions_unless_the_task_says_otherwise():
    rows = [answer("m", f"{group}/{i}", group=group) for group in ("de", "fr") for i in range(3)]
    assert summarize(rows).tasks["m"].estimate.clusters == 3
    assert summarize(rows, apart=frozenset({"m"})).tasks["m"].estimate.clusters == 6
