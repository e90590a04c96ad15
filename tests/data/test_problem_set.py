import json

import pytest

from cotdistill.data import Catalog, open_catalog
from cotdistill.data.problem_set import ProblemOptions, load_problems
from cotdistill.data.recorded import read_recorded_traces
from cotdistill.errors import UserError

NO_CATALOG = Catalog(())


def load(seed=1, **options):
    return load_problems(ProblemOptions(dataset="demo", **options), NO_CATALOG, seed=seed)


def test_holdout_and_sampled_are_disjoint_and_whole():
    problems = load(limit=50, holdout=10)
    assert (len(problems.sampled), len(problems.holdout)) == (40, 10)
    assert not {p.question for p in problems.sampled} & {p.question for p in problems.holdout}


def test_the_seed_decides_the_holdout():
    one, other = load(limit=50, holdout=10), load(limit=50, holdout=10)
    assert (list(one.sampled), one.holdout) == (list(other.sampled), other.holdout)
    assert load(limit=50, holdout=10).holdout != load(seed=2, limit=50, holdout=10).holdout


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "add `limit:`"), ({"limit": 5, "holdout": 5}, "leaves nothing of 5 problems")],
)
def test_a_set_that_leaves_nothing_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        load(**options)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(UserError, match="is empty"):
        load_problems(ProblemOptions(dataset=str(tmp_path / "p.jsonl")), NO_CATALOG, seed=1)


def test_a_teacher_sees_the_options_of_a_question_and_recorded_answers_find_it(tmp_path):
    row = {"question": "Which?", "choices": ["Rome", "Paris"], "gold": "B", "reasoning": "So.", "answer": "Paris"}
    (tmp_path / "t.jsonl").write_text(json.dumps(row))
    columns = {"choices": "choices", "reasoning": "reasoning", "answer": "answer"}
    entry = {"local_path": ".", "file_name": "t.jsonl", "formatting": "traces", "columns": columns}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"t": entry}))
    options, catalog = ProblemOptions(dataset="t"), open_catalog([tmp_path])
    (problem,) = load_problems(options, catalog, seed=1).sampled
    assert (problem.question, problem.gold) == ("Which?\n\nA) Rome\nB) Paris", "B")
    (trace,) = read_recorded_traces(options, catalog, [problem], tmp_path)
    assert trace.problem == problem
