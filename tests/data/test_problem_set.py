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


TWICE = [
    {"id": "a", "question": "q", "gold": "72"},
    {"id": "b", "question": "q", "gold": "70"},
    {"id": "c", "question": "r", "gold": "1"},
    {"id": "d", "question": "r", "gold": "1"},
    {"id": "e", "question": "s", "gold": "1"},
]


def of_rows(folder, **options):
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TWICE))
    by_row = options.pop("by_row", False)
    return load_problems(ProblemOptions(dataset=str(folder / "p.jsonl"), **options), NO_CATALOG, seed=1, by_row=by_row)


def names(problems):
    return "".join(problem.id for problem in problems)


def test_a_question_is_asked_once_for_each_gold_answer_and_rows_with_answers_are_all_kept(tmp_path):
    assert names(of_rows(tmp_path).sampled) == "abce"
    assert names(of_rows(tmp_path, by_row=True).sampled) == "abcde"
    assert [conflict.gold for conflict in of_rows(tmp_path).conflicts] == ["70"]


def test_a_limit_counts_questions_and_takes_all_rows_up_to_the_next_one(tmp_path):
    assert names(of_rows(tmp_path, limit=1, by_row=True).sampled) == "ab"
    assert names(of_rows(tmp_path, limit=2, by_row=True).sampled) == "abcd"
    assert names(of_rows(tmp_path, limit=2).sampled) == "abc"


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_row_of_a_question_that_is_set_aside_is_learned_from(tmp_path, by_row, seed):
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TWICE))
    options = ProblemOptions(dataset=str(tmp_path / "p.jsonl"), holdout=1)
    problems = load_problems(options, NO_CATALOG, seed=seed, by_row=by_row)
    assert len(problems.holdout) == 1
    assert problems.holdout[0].question not in {problem.question for problem in problems.sampled}
    other = load_problems(options, NO_CATALOG, seed=seed, by_row=not by_row)
    assert problems.holdout == other.holdout
