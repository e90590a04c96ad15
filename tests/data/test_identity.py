import json

import pytest

from cotdistill.data import Catalog
from cotdistill.data.identity import Identities
from cotdistill.data.problem_set import ProblemOptions, load_problems
from cotdistill.data.recorded import read_recorded_traces
from cotdistill.records import Completion, Problem, Trace


def trace(name="p", question="q", gold=None, index=0):
    problem = Problem(id=name, question=question, gold=gold)
    return Trace(problem=problem, completion=Completion(key="k", index=index, text="t"))


def ids(*rows):
    identities = Identities("id")
    return [value.id for row in rows for value in identities.named(row)]


def test_rows_of_one_problem_are_its_answers_in_order():
    assert ids([trace()], [trace()], [trace(), trace(index=1)]) == ["p/0", "p/1", "p/2", "p/3"]


def test_what_has_a_number_of_its_own_keeps_it_in_any_order():
    assert ids([trace(index=1)], [trace(index=0)], [trace(index=7)]) == ["p/1", "p/0", "p/7"]


def test_another_gold_is_another_problem_and_the_same_one_again_is_not():
    named = ids([trace(gold="72")], [trace(gold="70")], [trace(gold="72")], [trace(gold="70")])
    assert named[0::2] == ["p/0", "p/1"]
    assert [name.rpartition("/")[2] for name in named[1::2]] == ["0", "1"]
    assert named[1].startswith("p-")


def test_two_questions_never_share_an_id():
    with pytest.raises(ValueError, match="row: expected an id of its own, found `p`"):
        identities = Identities("row")
        identities.named([trace()])
        identities.named([trace(question="another")])


def test_a_file_with_one_question_a_thousand_times_gives_a_thousand_ids(tmp_path):
    rows = [{"question": "q", "reasoning": "r", "answer": str(n), "gold": str(n % 2)} for n in range(1000)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    traces = list(Catalog(()).find(str(tmp_path / "t.jsonl")).read_traces())
    assert len({trace.id for trace in traces}) == 1000
    assert [trace.problem.gold for trace in traces] == [row["gold"] for row in rows]
    assert len({trace.problem.id for trace in traces}) == 2


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
@pytest.mark.parametrize("holdout", [0, 2])
def test_rows_read_in_blocks_have_the_names_of_rows_read_one_by_one(tmp_path, suffix, holdout):
    rows = []
    for number in range(600):
        question = f"q{number % 7} " + "long " * (number % 5) * 300
        row = {"question": question, "reasoning": "r", "answer": f"a{number}", "gold": str(number % 2)}
        if number % 3 == 0:
            row = {"question": question, "generations": [f"<think>r</think>{n}" for n in range(number % 4 + 1)]}
        rows.append(row | ({"id": f"own{number % 5} {question[:20]} {len(question)}"} if number % 2 else {}))
    path = tmp_path / f"t.{suffix}"
    lines = [json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) if suffix == "jsonl" else f"[{','.join(lines)}]")
    options, catalog = ProblemOptions(dataset=str(path), holdout=holdout), Catalog(())
    problems = load_problems(options, catalog, seed=1, by_row=True)
    asked = {problem.question for problem in problems.sampled}
    one_by_one = [trace for trace in catalog.find(str(path)).read_traces() if trace.problem.question in asked]
    in_blocks = list(read_recorded_traces(options, catalog, problems.sampled, tmp_path))
    assert in_blocks == one_by_one
    assert len({trace.id for trace in in_blocks}) == len(in_blocks) > 300
    assert {trace.problem.id for trace in in_blocks} == {problem.id for problem in problems.sampled}
