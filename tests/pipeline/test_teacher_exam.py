"""The teacher's own row: the same exam as its students', by its own ledger and budget."""

import json

import pytest

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.pipeline.estimate import estimates
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.storage.broken_attempts import BrokenAttempt, note_broken

RECIPE = """\
name: t
seed: 3
problems: {dataset: demo, limit: 240, holdout: 200}
teacher: {kind: demo, error_rate: 0.15}
student: {kind: demo, base_steps: 0}
train: {max_steps: 2}
evaluate: {tasks: [holdout], teacher: true}
"""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def open_pipeline(*overrides, text=RECIPE):
        (tmp_path / "t.yaml").write_text(text)
        return Pipeline(read_recipe(tmp_path / "t.yaml", overrides=overrides), RunOptions())

    return open_pipeline


def scores(pipeline):
    [step] = pipeline.plan.arms["teacher"]
    (pipeline.folder / step.folder).mkdir(parents=True, exist_ok=True)
    return list(pipeline.rows(step))


def stored(pipeline):
    return (pipeline.folder / "arms/teacher/5-evaluate/completions.jsonl").read_text().splitlines()


def test_the_teacher_is_as_good_in_the_exam_as_it_is_said_to_be(opened):
    pipeline = opened()
    found = scores(pipeline)
    assert [score.problem for score in found] == list(pipeline.inputs.tasks(pipeline.recipe.main)["holdout"].problems)
    assert 0.80 <= sum(score.verdict.outcome == "correct" for score in found) / len(found) <= 0.90
    assert all(score.completion.reasoning for score in found), "its thinking is what it sends as such"
    report = json.loads((pipeline.folder / "arms/teacher/5-evaluate/report.json").read_text())
    assert report["tasks"]["holdout"]["n"] == 200
    assert not (pipeline.folder / "1-sample").exists(), "what is learned from is another ledger's"


def test_what_is_stored_is_not_asked_again(opened):
    pipeline = opened("problems.limit=60", "problems.holdout=50")
    first = scores(pipeline)
    ledger = stored(pipeline)
    assert scores(opened("problems.limit=60", "problems.holdout=50")) == first
    assert stored(pipeline) == ledger


def test_what_broke_in_an_earlier_start_was_billed_and_counts_against_the_budget(opened):
    settings = ("evaluate.teacher_budget={output_tokens: 300}", "problems.limit=60", "problems.holdout=50")
    pipeline = opened(*settings)
    ledger = pipeline.folder / "arms/teacher/5-evaluate/completions.jsonl"
    ledger.parent.mkdir(parents=True)
    note_broken(ledger, BrokenAttempt(host="h", reason="the connection broke", output_tokens=300))
    with pytest.raises(TryAgainLater, match="0 answers are stored, 50 of 50 problems have none"):
        scores(pipeline)


def test_its_budget_stops_it_and_what_came_is_kept(opened):
    small = ("problems.limit=60", "problems.holdout=50", "sample.concurrency=1")
    pipeline = opened(*small, "evaluate.teacher_budget={output_tokens: 300}", text=RECIPE + "sample: {}\n")
    with pytest.raises(
        TryAgainLater, match=r"the budget of the teacher's exam is reached: .* of 50 problems have none"
    ):
        scores(pipeline)
    ledger = stored(pipeline)
    assert 0 < len(ledger) < 50
    assert len(scores(opened(*small, text=RECIPE + "sample: {}\n"))) == 50
    assert stored(pipeline)[: len(ledger)] == ledger


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["teacher=null", "problems.dataset=p.jsonl"],
            r"t\.yaml:7: evaluate\.teacher: asks a teacher, and the recipe has none",
        ),
        (
            ["teacher={kind: endpoint, model: m, base_url: 'http://127.0.0.1:9/v1', prompt: hint.txt}"],
            r"t\.yaml:7: evaluate\.teacher: the teacher is shown the gold answer",
        ),
        (
            ["evaluate.teacher_budget={usd: 1}"],
            r"evaluate\.teacher_budget.*: a budget in US dollars needs the teacher's prices",
        ),
    ],
)
def test_an_exam_that_cannot_be_or_would_tell_nothing_is_refused(opened, tmp_path, overrides, message):
    (tmp_path / "hint.txt").write_text("{question} The answer is {gold}.")
    rows = [
        {"question": f"{n} and 1?", "reasoning": "so", "answer": str(n + 1), "gold": str(n + 1)} for n in range(240)
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=message):
        opened(*overrides).check()


def test_a_replayed_teacher_needs_answers_to_the_exam(opened, tmp_path):
    rows = [{"question": f"{n} and 1?", "reasoning": "so", "answer": str(n + 1), "gold": str(n + 1)} for n in range(9)]
    lines = [json.dumps(row) + "\n" for row in rows]
    (tmp_path / "all.jsonl").write_text("".join(lines))
    (tmp_path / "some.jsonl").write_text("".join(lines[:6]))
    problems = "problems={dataset: all.jsonl, holdout: 6}"
    opened(problems, "teacher={kind: replay, path: all.jsonl}").check()
    with pytest.raises(UserError, match=r"evaluate\.teacher: \d of 6 questions of the exam have no recorded answer"):
        opened(problems, "teacher={kind: replay, path: some.jsonl}").check()


def test_what_the_teacher_is_asked_with_is_part_of_the_key_and_what_it_may_cost_is_not(opened):
    def parts(*overrides):
        pipeline = opened(*overrides)
        return pipeline.parts_of(pipeline.plan.arms["teacher"][0])

    first = parts()
    assert first["roles"].keys() == {"teacher", "verifier"}
    assert parts("evaluate.teacher_budget={output_tokens: 9}") == first
    assert parts("sample={temperature: 0.6}") != first
    assert parts("teacher.error_rate=0.2") != first


def test_the_students_keys_know_nothing_of_the_teachers_row(opened):
    def parts(*overrides):
        pipeline = opened(*overrides)
        return pipeline.parts_of(pipeline.plan.arms["baseline"][0])

    assert parts() == parts("evaluate.teacher=false")
    assert "teacher" not in json.dumps(parts())


def test_check_tells_what_the_exam_costs(opened):
    pipeline = opened("sample={max_tokens: 100}")
    found = {each.folder: each for each in estimates(pipeline.plan.steps, pipeline.inputs, pipeline.folder)}
    assert (found["arms/teacher/5-evaluate"].requests, found["1-sample"].requests) == (200, 40)
    assert found["arms/teacher/5-evaluate"].output_tokens == 200 * 100
