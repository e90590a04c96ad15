import pytest

from cotdistill.filters.problem_groups import ProblemGroups
from tests.support.traces import trace


def waiting(tmp_path, *rows):
    stored = ProblemGroups(tmp_path)
    for problem, outcome in rows:
        stored.append(trace(problem=problem, verdict=outcome))
    return stored


def test_rows_come_back_as_they_went_in(tmp_path):
    rows = [trace(text=text, problem=f"p{i}") for i, text in enumerate(["七 é", "", "x" * 100_000])]
    with ProblemGroups(tmp_path) as stored:
        assert [stored.append(row) for row in rows] == [0, 1, 2]
        assert [stored[i] for i in (2, 0, 1)] == [rows[2], rows[0], rows[1]]
        assert list(tmp_path.iterdir()) == []  # nothing is left behind, however the process ends


def test_neighbours_are_one_run_and_rows_apart_are_known_to_each_other(tmp_path):
    with waiting(tmp_path, *[(p, "correct") for p in "aabca"]) as stored:
        assert [(list(run.rows), list(run.all_rows)) for run in stored.read_runs()] == [
            ([0, 1], [0, 1, 4]),
            ([2], [2]),
            ([3], [3]),
            ([4], [0, 1, 4]),
        ]


@pytest.mark.parametrize("order", ["aaab", "abaa", "baaa", "aaba"])
def test_the_pass_rate_is_of_all_attempts_in_any_order(tmp_path, order):
    outcomes = iter(["correct", "wrong", "unparsed"])
    rows = [(p, next(outcomes) if p == "a" else "correct") for p in order]
    with waiting(tmp_path, *rows) as stored:
        rates = {order[run.rows[0]]: run.pass_rate for run in stored.read_runs()}
    assert rates == {"a": pytest.approx(1 / 3), "b": 1}


def test_attempts_that_saw_the_answer_or_were_not_graded_do_not_count(tmp_path):
    with ProblemGroups(tmp_path) as stored:
        stored.append(trace(is_hinted=True))
        stored.append(trace(verdict="error"))
        stored.append(trace(problem="q", verdict="wrong"))
        stored.append(trace(problem="q", is_hinted=True))
        assert [run.pass_rate for run in stored.read_runs()] == [None, 0]


def test_one_id_for_two_questions_is_two_problems(tmp_path):
    with ProblemGroups(tmp_path) as stored:
        stored.append(trace(question="one?"))
        stored.append(trace(question="two?", verdict="wrong"))
        assert [run.pass_rate for run in stored.read_runs()] == [1, 0]
