"""Arms of every kind in one run: other rows, no training, another student, several seeds, the teacher."""

import json

import pytest

RECIPE = """\
name: t
problems: {dataset: demo, limit: 60, holdout: 20}
teacher: {kind: demo, error_rate: 0.15}
student: {kind: demo, base_steps: 0}
sample: {max_tokens: 256}
filter: {}
convert: {style: think}
train: {max_steps: 2, logging_steps: 1}
evaluate: {tasks: [holdout], teacher: true, max_tokens: 8}
arms:
  filtered: {seeds: [1, 2]}
  s1k: {train: {dataset: s1k.jsonl}}
  recorded: {problems: {dataset: s1k.jsonl}, teacher: null, filter: {keep: all}}
  prompted: {train: null, convert: {style: answer_only}}
  other: {student: {base_steps: 1}}
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long = "First we note that the sum is even. Hence every term is, and the claim follows for all of them."
    rows = [{"question": f"{n} and 1?", "reasoning": "so", "answer": str(n + 1), "gold": long} for n in range(20)]
    (tmp_path / "s1k.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.yaml").write_text(RECIPE)
    return tmp_path / "t.yaml"


def test_a_recipe_with_all_of_them_is_well(call, recipe, tmp_path):
    code, out, err = call("check", recipe, "--runs", tmp_path / "runs", "--json")
    assert code == 0, err
    assert {"arms/teacher/5-evaluate", "arms/filtered@2/4-train"} <= set(json.loads(out)["steps"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("arms.s1k.train.dataset=s1K-1.0", "arms.s1k.train.dataset=s1K-1.0"),
        ("arms.recorded.problems.dataset=s1K-1.0", "arms.recorded.problems.dataset=s1K-1.0"),
        ("arms.recorded.filter.keep=correct", "t.yaml:13: arms.recorded.problems: no gold answer"),
        ("arms.recorded.problems.holdout=3", "an arm has no exam of its own"),
        ("arms.filtered.seeds=[1, 1]", "has a duplicate seed"),
        ("arms.teacher={}", "the teacher is made by itself"),
    ],
)
def test_a_fault_of_an_arm_is_named_there(call, recipe, tmp_path, override, message):
    code, _, err = call("check", recipe, "--runs", tmp_path / "runs", "--set", override)
    assert code == 2
    assert message in err
    assert ("s1K-1.0" not in override) or "did you mean `s1K-1.1`?" in err


@pytest.mark.slow
def test_all_of_them_are_asked_one_exam_and_compared_with_their_own_student(call, recipe, tmp_path):
    code, out, err = call("run", recipe, "--runs", tmp_path / "runs", "--json")
    assert code == 0, err
    arms = {arm["name"]: arm for arm in json.loads(out)["arms"]}
    students = ["filtered@1", "filtered@2", "s1k", "recorded", "prompted", "other"]
    assert list(arms) == [*students, "baseline", "baseline@other", "teacher"]
    assert all(arm["n"] == 20 for arm in arms.values())
    asked = {
        name: [json.loads(line)["problem"]["id"] for line in (tmp_path / "runs/t" / folder / "rows.jsonl").open()]
        for name, folder in evaluations(tmp_path / "runs/t")
    }
    assert len({tuple(ids) for ids in asked.values()}) == 1
    cards = {name: (tmp_path / f"runs/t/arms/{name}/4-train/README.md").read_text() for name in ("s1k", "filtered@2")}
    assert "* Teacher: none\n" in cards["s1k"]
    assert "* Teacher: demo\n* Seed: 2\n" in cards["filtered@2"]
    said = json.loads((tmp_path / "runs/t/arms.json").read_text())["arms"]
    against = {arm["name"]: arm["baseline"] for arm in said if arm["baseline"]}
    assert against == {**dict.fromkeys(students, "baseline"), "other": "baseline@other"}

    code, again, err = call("run", recipe, "--runs", tmp_path / "runs", "--json")
    assert (code, again) == (0, out), err
    assert all("starts" not in line for line in err.splitlines())


def evaluations(run):
    return [(arm["name"], arm["stages"]["evaluate"]) for arm in json.loads((run / "arms.json").read_text())["arms"]]
