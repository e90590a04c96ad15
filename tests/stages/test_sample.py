import json

import pytest

from cotdistill.errors import UserError
from cotdistill.records import Problem, Rejected, Trace
from cotdistill.registry import make
from cotdistill.stage import Workspace, stages
from cotdistill.stages.sample import SampleOptions

SAMPLE = stages()["sample"].function
PROBLEMS = [Problem(id=f"p{n}", question=f"What is {n} + 1?", gold=str(n + 1)) for n in range(4)]


def run(tmp_path, teacher, **options):
    return list(SAMPLE(PROBLEMS, SampleOptions(**options), Workspace(tmp_path, tmp_path, 1), teacher=teacher))


def replay(tmp_path, *, known):
    rows = [{"question": p.question, "reasoning": "r", "answer": f"It is {p.gold}."} for p in PROBLEMS[:known]]
    (tmp_path / "traces.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return make("samplers", "replay", path=tmp_path / "traces.jsonl")


def test_traces_come_in_the_order_of_the_problems(tmp_path):
    rows = run(tmp_path, replay(tmp_path, known=4))
    assert [(row.problem.id, row.completion.text) for row in rows] == [(p.id, f"It is {p.gold}.") for p in PROBLEMS]


def test_an_unanswered_problem_is_a_rejected_row(tmp_path):
    rows = run(tmp_path, replay(tmp_path, known=3), max_failed=0.3)
    assert [type(row) for row in rows] == [Trace, Trace, Trace, Rejected]
    assert rows[3].reason_class == "failed"


def test_too_many_lost_for_good_stop_the_stage_as_the_users_fault(tmp_path):
    with pytest.raises(UserError, match="2 of 4 requests got no answer") as caught:
        run(tmp_path, replay(tmp_path, known=2))
    assert caught.value.exit_code == 2
    assert (tmp_path / "completions.jsonl").read_bytes().count(b"\n") == 2


def test_every_sample_of_a_problem_is_asked_once(tmp_path):
    rows = run(tmp_path, make("samplers", "demo"), samples_per_problem=3, max_tokens=64)
    assert [(row.problem.id, row.completion.index) for row in rows] == [(p.id, i) for p in PROBLEMS for i in range(3)]
    before = (tmp_path / "completions.jsonl").read_bytes()
    assert run(tmp_path, make("samplers", "demo"), samples_per_problem=3, max_tokens=64) == rows
    assert (tmp_path / "completions.jsonl").read_bytes() == before
