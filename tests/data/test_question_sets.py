"""The ready sets of questions: rows in the layout of the hub's file come to the right questions and gold answers."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.made import made_set
from cotdistill.data.options import DataOptions
from cotdistill.data.task_reader import TaskReader
from cotdistill.errors import UserError
from cotdistill.verifiers.auto import auto
from tests.support.offline import cut_off
from tests.support.question_sets import QUESTION_SETS

HO = {
    *("singleeq", "addsub", "multiarith", "svamp", "gsm8k", "aqua", "commonsense_qa", "strategyqa"),
    *("date_understanding", "tracking_shuffled_objects", "last_letter", "coin_flip"),
}
"""The sets of Ho et al. 2023, table 1."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cut_off(monkeypatch)
    (tmp_path / "data").mkdir()

    def put(name, rows, ending="jsonl"):
        path = tmp_path / "data" / f"{name}.{ending}"
        if ending == "parquet":
            pyarrow = pytest.importorskip("pyarrow")
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    return put


def read(name):
    return [problem for _, problem in open_catalog([]).find(name).read_samples()]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("given", QUESTION_SETS, ids=lambda given: given.name)
def test_three_rows_of_a_set_come_to_its_questions_and_gold_answers(place, given, ending):
    place(given.name, given.rows, ending)
    assert [(problem.question, problem.gold) for problem in read(given.name)] == list(given.asked)


@pytest.mark.parametrize("given", QUESTION_SETS, ids=lambda given: given.name)
def test_gold_passes_the_verifier_of_its_task_and_auto(place, given):
    place(given.name, given.rows)
    entry = open_catalog([]).find(given.name).entry
    if entry.task.sets:
        place(*[name for names in entry.task.sets.values() for name in names], given.rows)
    task = TaskReader(open_catalog([])).read(given.name)
    assert [problem.gold for problem in task.problems] == [gold for _, gold in given.asked]
    verify = task.options.verifier.build()
    for problem in task.problems:
        said = f"Let me think. It is so.\nThe answer is {problem.gold}."
        assert (verify(problem.gold, said).outcome, auto(problem.gold, said).outcome) == ("correct", "correct")
        assert problem.question in task.asked(problem).question


def test_all_sets_of_ho_et_al_can_be_named():
    ready = {given.name for given in QUESTION_SETS}
    made = {name for name in HO if made_set(name, open_catalog([])) is not None}
    assert made == {"last_letter", "coin_flip"}
    assert HO - made <= ready


def test_options_with_letters_of_their_own_have_one_letter_when_they_are_asked(place):
    (given,) = [given for given in QUESTION_SETS if given.name == "aqua_test"]
    place(given.name, given.rows)
    task = TaskReader(open_catalog([])).read("aqua_test")
    assert "\n\nA) 125\nB) $150\nC) 7(√3 – 1)\nD) 250\nE) None of these\n\n" in task.asked(task.problems[0]).question


def test_big_bench_hard_is_a_general_task_whose_groups_are_its_subsets(place):
    (given,) = [given for given in QUESTION_SETS if given.name == "bbh_boolean_expressions"]
    (found,) = [source.data["bbh"] for source in open_catalog([]).sources if "bbh" in source.data]
    for name in found["sets"].values():
        place(name, given.rows)
    task = TaskReader(open_catalog([])).read("bbh")
    assert task.is_general and len({problem.group for problem in task.problems}) == 26
    for subset, name in found["sets"].items():
        entry = open_catalog([]).find(name).entry
        assert (entry.subset, entry.split, entry.columns.question) == (subset, "test", "input")


def test_a_list_that_holds_no_text_is_named(place):
    (given,) = [given for given in QUESTION_SETS if given.name == "hotpotqa"]
    row = given.rows[0]
    for sentences, fault in (
        ([], "context.sentences: expected text, found an empty list"),
        ([["one"], [2]], r"context.sentences\[1\]: expected text, found int"),
    ):
        place("hotpotqa", [{**row, "context": {"title": ["t"], "sentences": sentences}}])
        with pytest.raises(UserError, match=fault):
            read("hotpotqa")


def test_a_set_of_one_file_is_found_on_its_hub_by_that_file():
    catalog = open_catalog([], DataOptions())
    assert catalog.find("singleeq").entry.hub_file == "data/mawps/singleeq.jsonl"
    assert catalog.find("addsub").entry.hub_file == "data/mawps/addsub.jsonl"
