import pytest

from cotdistill.records import Completion, Problem, Score, Usage, Verdict
from cotdistill.report.data import Drop, StageReport, compare, summarize


def graded(task, number, outcome, *, status="ok", tokens=10, index=0):
    return Score(
        task=task,
        problem=Problem(id=f"p{number}", question="?", gold="1"),
        completion=Completion(key="k", index=index, text="x", status=status, usage=Usage(completion_tokens=tokens)),
        verdict=Verdict(outcome=outcome),
    )


def test_answers_are_counted_in_all_and_per_task():
    scores = summarize(
        [
            graded("a", 0, "correct", tokens=4),
            graded("a", 1, "wrong", tokens=8),
            graded("b", 0, "unparsed", status="truncated", tokens=12),
            graded("b", 1, "error", tokens=0),
        ]
    )
    total = scores.total
    assert (total.n, total.right, total.unanswered, total.truncated, total.errors) == (4, 1, 1, 1, 1)
    assert total.accuracy == 0.25
    assert total.mean_tokens == 6
    assert total.share(total.truncated) == 0.25
    assert {task: (tally.right, tally.n) for task, tally in scores.tasks.items()} == {"a": (1, 2), "b": (0, 2)}


def test_nothing_asked_is_not_an_accuracy_of_zero():
    total = summarize([]).total
    assert (total.n, total.accuracy, total.ci95, total.mean_tokens, total.share(0)) == (0, None, None, None, None)


def test_the_first_right_and_the_first_other_answer_are_kept_as_samples():
    rows = [graded("a", i, outcome) for i, outcome in enumerate(["wrong", "unparsed", "correct", "correct"])]
    assert [score.problem.id for score in summarize(rows).samples] == ["p2", "p0"]


def test_arms_are_paired_by_task_problem_and_attempt():
    here = summarize([graded("a", 0, "correct"), graded("a", 1, "correct"), graded("b", 0, "wrong")])
    there = summarize([graded("a", 1, "wrong"), graded("a", 0, "correct"), graded("b", 0, "correct", index=1)])
    paired = compare(here, there)
    assert (paired.counts.both, paired.counts.gained, paired.counts.lost, paired.counts.neither) == (1, 1, 0, 0)
    assert paired.difference == 0.5


@pytest.mark.parametrize("other", [[], [graded("b", 0, "correct")]])
def test_arms_without_a_common_question_have_no_difference(other):
    assert compare(summarize([graded("a", 0, "correct")]), summarize(other)) is None


def test_a_waterfall_goes_in_the_order_asked_and_ends_at_what_was_kept():
    reasons = {"surplus": 30, "wrong": 20, "new_reason": 1, "truncated": 5}
    stage = StageReport(name="filter", folder="2-filter", is_finished=True, rows_in=100, rows_out=44, reasons=reasons)
    assert stage.waterfall == (
        Drop("truncated", 5, 95),
        Drop("wrong", 20, 75),
        Drop("surplus", 30, 45),
        Drop("new_reason", 1, 44),
    )
