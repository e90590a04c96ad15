"""Whose rows are shown as worked examples."""

import json

import pytest

from cotdistill.pipeline.examples import example_step
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.storage.run_folder import ROWS, read_manifest
from tests.support.examination import says
from tests.support.fault_server import FaultServer

TEXT = """\
name: t
problems: {dataset: demo, limit: 20, holdout: 2}
teacher: {kind: demo}
student: {kind: full, model: owner/base}
convert: {style: think}
train: {max_steps: 2}
evaluate: {shots: 2}
"""
ARMS = """\
arms:
  own: {train: {dataset: elsewhere}}
  filtered: {}
  unfiltered: {filter: {keep: all}}
  other: {student: {kind: lora, model: owner/other}, train: {dataset: elsewhere}}
"""


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(text, *overrides, **options):
        (tmp_path / "t.yaml").write_text(text)
        return Pipeline(read_recipe(tmp_path / "t.yaml", overrides=overrides), RunOptions(**options))

    return made


def shown(pipeline):
    """Folder of the rows that each arm's evaluation shows."""
    found = {}
    for name, steps in pipeline.plan.arms.items():
        step = example_step(steps[-1], pipeline.plan)
        found[name] = step.folder if step else None
    return found


def test_a_student_and_its_baseline_are_shown_the_rows_that_the_student_learned_from(pipeline):
    assert shown(pipeline(TEXT)) == {"t": "2-filter", "baseline": "2-filter"}
    assert set(shown(pipeline(TEXT, "evaluate.shots=0")).values()) == {None}


def test_an_arm_without_rows_of_its_own_is_shown_those_of_an_arm_before_it(pipeline):
    first, *others = ARMS.splitlines()[1:]
    assert shown(pipeline(TEXT + "\n".join(["arms:", *others, first]))) == {
        "filtered": "2-filter",
        "unfiltered": "arms/unfiltered/2-filter",
        "other": "2-filter",
        "own": "2-filter",
        "baseline": "2-filter",
        "baseline@other": "2-filter",
    }


def test_an_arm_before_all_others_has_no_examples_and_the_check_says_so(pipeline, call):
    assert shown(pipeline(TEXT + ARMS))["own"] is None
    code, _, err = call("check", "t.yaml")
    assert code == 2
    assert "t.yaml:7: evaluate.shots: no stage writes worked examples" in " ".join(err.split())


BARE = """\
name: t
problems: {dataset: demo, limit: 20, holdout: 2}
teacher: {kind: demo, error_rate: 0}
student: {kind: full, model: owner/base}
convert: {style: think}
evaluate: {shots: 2, baseline: true, sampler: {kind: endpoint, base_url: "URL", model: "{arm}"}}
"""


def test_the_baseline_is_shown_examples_once_they_are_there_and_is_done_again_with_others(pipeline, tmp_path):
    with FaultServer(answer=lambda request: says("<think>\n1\n</think>\n\n2")) as server:
        text = BARE.replace("URL", server.base_url)
        for only in ("sample", "filter"):
            pipeline(text, only=only).run()
        made = pipeline(text)
        baseline = made.plan.arms["baseline"][-1]
        parts = made.parts_of(baseline)
        rows = read_manifest(tmp_path / "runs/t/2-filter").outputs[ROWS].sha256
        assert parts["inputs"]["examples"] == rows
        step_rows = list(made.rows(made.plan.arms["t"][1]))
        assert step_rows, "the filter has rows"
        made.prepare(baseline, tmp_path / "runs/t" / baseline.folder, "key")
        assert len(list(made.rows(baseline))) == 2
    asked = [request.body for request in server.requests]
    assert [body["model"] for body in asked] == ["baseline"] * 2
    assert all(len(body["messages"]) == 5 for body in asked)
    rows_file = tmp_path / "runs/t/2-filter/rows.jsonl"
    questions = {json.loads(line)["problem"]["question"] for line in rows_file.read_text().splitlines()}
    assert all(body["messages"][0]["content"] in questions for body in asked)
