import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.filters.problem_groups import ProblemGroups, screened
from cotdistill.records import Trace
from cotdistill.storage.encoded import encode
from tests.support.traces import trace


def add(stored, row, kind=None, reason=""):
    return stored.add(screened(row, kind, reason, encode(row)))


def waiting(tmp_path, *rows):
    stored = ProblemGroups(tmp_path)
    for problem, outcome in rows:
        add(stored, trace(problem=problem, verdict=outcome))
    return stored


def test_rows_come_back_as_they_went_in(tmp_path):
    rows = [trace(text=text, problem=f"p{i}") for i, text in enumerate(["七 é", "", "x" * 100_000])]
    with ProblemGroups(tmp_path) as stored:
        assert [add(stored, row) for row in rows] == [0, 1, 2]
        assert [stored.read(i).trace(None) for i in (2, 0, 1)] == [rows[2], rows[0], rows[1]]
        assert list(tmp_path.iterdir()) == []  # nothing is left behind, however the process ends


def test_neighbours_are_one_run_and_rows_apart_are_known_to_each_other(tmp_path):
    with waiting(tmp_path, *[(p, "correct") for p in "aabca"]) as stored:
        assert [(list(run.rows), list(run.all_rows)) for run in stored.read_runs()] == [
            ([0, 1], [0, 1, 4]),
            ([2], [2]),
            ([3], [3]),
            ([4], []),  # decided with the others, at their first run
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
        add(stored, trace(is_hinted=True))
        add(stored, trace(verdict="error"))
        add(stored, trace(problem="q", verdict="wrong"))
        add(stored, trace(problem="q", is_hinted=True))
        assert [run.pass_rate for run in stored.read_runs()] == [None, 0]


def test_one_id_for_two_questions_is_two_problems(tmp_path):
    with ProblemGroups(tmp_path) as stored:
        add(stored, trace(question="one?"))
        add(stored, trace(question="two?", verdict="wrong"))
        assert [run.pass_rate for run in stored.read_runs()] == [1, 0]


def test_a_row_keeps_its_reason_and_takes_its_problems_pass_rate(tmp_path):
    row = trace(text="é")
    with ProblemGroups(tmp_path) as stored:
        add(stored, row, "wrong", 'found "8"\n')
        found = stored.read(0)
    assert (found.kind, found.reason) == ("wrong", b'"found \\"8\\"\\n"')
    rated = row.model_copy(update={"pass_rate": 1 / 3})
    assert found.with_pass_rate(b"0.3333333333333333") == encode(rated)
    assert Trace.model_validate_json(found.with_pass_rate(b"null")) == row


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=40))
def test_any_order_of_rows_gives_each_problem_its_rows_and_its_rate(rows):
    with tempfile.TemporaryDirectory() as folder:
        stored = waiting(Path(folder), *[(f"p{p}", "correct" if right else "wrong") for p, right in rows])
        runs = list(stored.read_runs())
        stored.__exit__(None, None, None)
    assert [number for run in runs for number in run.rows] == list(range(len(rows)))
    seen = set()
    for run in runs:
        problem = rows[run.rows[0]][0]
        own = [number for number, (other, _) in enumerate(rows) if other == problem]
        assert run.pass_rate == sum(rows[number][1] for number in own) / len(own)
        assert list(run.all_rows) == ([] if problem in seen else own)
        seen.add(problem)
