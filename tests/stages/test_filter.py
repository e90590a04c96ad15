import pytest

from cotdistill.records import Completion, Problem, Rejected, Trace
from cotdistill.registry import make
from cotdistill.stage import Workspace, stages
from cotdistill.stages.filter import FilterOptions

FILTER = stages()["filter"].function


def trace(text, *, gold="7", status="ok", problem="p"):
    completion = Completion(key="k", index=0, text=text, reasoning="so 7", status=status)
    return Trace(problem=Problem(id=problem, question="q", gold=gold), completion=completion)


def run(tmp_path, traces, **options):
    work = Workspace(tmp_path, tmp_path, 1)
    rows = list(FILTER(traces, FilterOptions(**options), work, verifier=make("verifiers", "numeric")))
    return [r for r in rows if isinstance(r, Trace)], [r for r in rows if isinstance(r, Rejected)]


def test_correct_answers_are_kept_with_their_verdict(tmp_path):
    kept, rejected = run(tmp_path, [trace("The answer is 7."), trace("The answer is 8.")])
    assert [t.verdict.outcome for t in kept] == ["correct"]
    assert [r.reason_class for r in rejected] == ["wrong"]
    assert "found 8, gold 7" in rejected[0].reason


def test_keep_all_keeps_wrong_answers_and_still_judges_them(tmp_path):
    kept, rejected = run(tmp_path, [trace("The answer is 7."), trace("The answer is 8.")], keep="all")
    assert [t.verdict.outcome for t in kept] == ["correct", "wrong"]
    assert rejected == []


@pytest.mark.parametrize("status", ["truncated", "empty_answer", "refusal", "content_filter", "empty_reasoning"])
@pytest.mark.parametrize("keep", ["correct", "all"])
def test_an_answer_that_is_not_whole_is_never_kept(tmp_path, status, keep):
    kept, rejected = run(tmp_path, [trace("The answer is 7.", status=status)], keep=keep)
    assert kept == []
    assert rejected[0].reason_class == status


def test_no_more_than_asked_are_kept_of_one_problem(tmp_path):
    traces = [trace("The answer is 8."), *[trace("The answer is 7.")] * 3, trace("It is 7.", problem="other")]
    kept, rejected = run(tmp_path, traces, max_kept_per_problem=1)
    assert [t.problem.id for t in kept] == ["p", "other"]
    assert [r.reason_class for r in rejected] == ["wrong", "surplus", "surplus"]


def test_a_problem_without_gold_is_an_error_and_not_wrong(tmp_path):
    _, rejected = run(tmp_path, [trace("The answer is 7.", gold=None)])
    assert rejected[0].reason_class == "error"
