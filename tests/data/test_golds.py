import json

import pytest

from cotdistill.data import BadRows, Catalog
from cotdistill.data.golds import Golds, conflict_faults, find_conflicts, gold_check, same_by
from cotdistill.data.identity import identity_of
from cotdistill.records import Problem
from cotdistill.registry import make

SAME = same_by(make("verifiers", "numeric"))


def conflicts(folder, rows, is_same=SAME):
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = Catalog(()).find(str(folder / "p.jsonl"))
    golds = Golds()
    for problem in dataset.read_each_problem():
        golds.add(identity_of(problem))
    return tuple(find_conflicts(dataset, golds, is_same, BadRows()))


def row(gold, question="q", **more):
    return {"question": question, "gold": gold, **more}


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([row("72"), row("72.0"), row("1,000", "r"), row("1000", "r")], []),
        ([row("72"), row(None), row("72")], []),
        ([row("72"), row("70"), row("70"), row("72")], [2]),
        ([row("Rome"), row("x", "r"), row("Paris"), row("Oslo"), row("Oslo")], [3, 4]),
        ([row("A", choices=["a", "b"]), row("B", choices=["b", "a"])], []),
        ([row("A", choices=["a", "b"]), row("B", choices=["a", "b"])], [2]),
    ],
)
def test_rows_that_contradict_the_first_one_are_found(tmp_path, rows, lines):
    found = conflicts(tmp_path, rows)
    assert [int(conflict.where.rpartition(":")[2]) for conflict in found] == lines
    assert all(conflict.first_where.endswith(":1") for conflict in found)


def test_without_a_verifier_golds_are_compared_as_text(tmp_path):
    assert len(conflicts(tmp_path, [row("72"), row("72.0")], is_same=str.__eq__)) == 1


def test_a_fault_names_both_places_and_their_number(tmp_path):
    found = conflicts(tmp_path, [row("1", f"q{n}") for n in range(12)] + [row("2", f"q{n}") for n in range(12)])
    faults = conflict_faults(found, "r.yaml:1: problems")
    path = tmp_path / "p.jsonl"
    assert str(faults[0]) == f"{path}:13: the gold is `2`, and `1` at {path}:1: `q0`"
    assert len(faults) == 11
    assert str(faults[-1]).startswith("r.yaml:1: problems: 12 questions have several gold answers")


def test_a_problem_is_new_by_its_question_or_its_gold():
    golds = Golds()
    asked = [("q", "72"), ("q", "72.0"), ("q", "70"), ("q", None), ("r", None), ("r", "1")]
    problems = [Problem(id="x", question=question, gold=gold) for question, gold in asked]
    assert [golds.add(identity_of(problem)) for problem in problems] == [True, True, True, False, True, True]
    assert len(golds) == 2


def test_a_gold_that_fails_its_own_verifier_is_named_and_asked_for_once():
    asked = []

    def verify(gold, answer):
        asked.append((gold, answer))
        return make("verifiers", "numeric")(gold, answer)

    check = gold_check(verify)
    golds = ["72", "see above", "see above", "72", None]
    found = [check(Problem(id=f"p{n}", question="How  many?", gold=gold)) for n, gold in enumerate(golds)]
    assert found == [
        None,
        ("p1 (`How many?`)", "see above"),
        ("p2 (`How many?`)", "see above"),
        None,
        ("p4 (`How many?`)", None),
    ]
    assert asked == [("72", "72"), ("see above", "see above")]
