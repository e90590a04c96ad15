"""Rehearsed rows in a training: at their share, from a step that arms share, and part of what tells trainings apart."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.pipeline.training_data import training_rows
from cotdistill.recipe.recipe import read_recipe
from cotdistill.records import Completion, Prompt, Trace

RECIPE = """\
name: r
problems: {dataset: demo, limit: 50, holdout: 10}
teacher: {kind: demo, error_rate: 0}
student: {kind: demo, base_steps: 0}
convert: {style: plain}
train: {max_steps: 1}
evaluate: {tasks: [holdout, one_step], limit: 2}
arms:
  forgets: {}
  rehearsed: {rehearse: {prompts: [one_step, at_first], limit: 30, share: 0.1}}
  half: {rehearse: {prompts: [one_step, at_first], limit: 30, share: 0.25}}
  elsewhere: {rehearse: {prompts: [one_step, at_first], limit: 30}, train: {dataset: general}}
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"instruction": f"Say {n}", "output": str(n)} for n in range(40)]
    (tmp_path / "general.json").write_text(json.dumps(rows))
    entry = {"local_path": ".", "file_name": "general.json"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"general": entry}))
    (tmp_path / "r.yaml").write_text(RECIPE)
    return read_recipe(tmp_path / "r.yaml")


@pytest.fixture
def pipeline(recipe, tmp_path):
    return Pipeline(recipe, RunOptions(runs=tmp_path / "runs"))


def steps_of(pipeline, arm):
    return {step.stage.name: step for step in pipeline.plan.arms[arm]}


def test_the_step_is_shared_by_arms_that_agree_and_stands_beside_the_chain(pipeline):
    first = steps_of(pipeline, "rehearsed")
    assert list(first) == ["sample", "filter", "convert", "rehearse", "train", "evaluate"]
    assert first["rehearse"].folder == "arms/rehearsed/4-rehearse" and first["rehearse"].upstream is None
    assert first["train"].upstream.stage.name == "convert" and first["train"].aside == first["rehearse"]
    assert steps_of(pipeline, "half")["rehearse"] is first["rehearse"], "the share changes no answer"
    assert steps_of(pipeline, "half")["train"] != first["train"]
    elsewhere = steps_of(pipeline, "elsewhere")
    assert elsewhere["rehearse"] is first["rehearse"] and elsewhere["train"].upstream is None
    assert "rehearse" not in steps_of(pipeline, "forgets")


def answers(step, pipeline):
    """Return rows as the stage would yield them, without a model."""
    for prompt in pipeline.sources.of(step).rows(step, pipeline.folder, None):
        assert isinstance(prompt, Prompt)
        said = Completion(key="", index=0, reasoning="So it is.", text=f"It is {prompt.problem.id}.")
        yield Trace(problem=prompt.named(), completion=said, origin="base")


@pytest.fixture
def stored(pipeline, monkeypatch):
    """The run with rehearsed rows that no model gave."""
    for stage in ("sample", "filter", "convert"):
        Pipeline(pipeline.recipe, RunOptions(only=stage, runs=pipeline.folder.parent)).run()
    step = steps_of(pipeline, "rehearsed")["rehearse"]
    monkeypatch.setattr(pipeline, "rows", lambda step, key: answers(step, pipeline))
    pipeline._do(step)
    return pipeline


@pytest.mark.parametrize(("arm", "share", "own"), [("rehearsed", 0.1, 40), ("half", 0.25, 40), ("elsewhere", 0.1, 40)])
def test_each_set_gets_its_share_of_all_rows(stored, arm, share, own):
    step = steps_of(stored, arm)["train"]
    rows = training_rows(step, open_catalog([stored.recipe.folder]), stored.folder)
    found = list(rows)
    assert rows.number == len(found)
    kept = [row for row in found if "/base-1/" in row.id]
    assert len(found) - len(kept) == own
    assert len(kept) / 2 == pytest.approx(share * len(found), abs=1)
    assert kept[0].messages[-1].content.startswith("So it is.\n\nIt is "), "its own words"
    assert {row.id.split("/")[0] for row in rows.with_places() if row.id.startswith("rehearse:")} == {
        "rehearse:one_step:one_step",
        "rehearse:at_first:at_first",
    }


def test_share_and_rows_tell_trainings_apart_and_unfinished_ones_have_no_key(stored, tmp_path):
    first, half = (stored.parts_of(steps_of(stored, arm)["train"]) for arm in ("rehearsed", "half"))
    assert first["inputs"]["rehearse"]["share"] == 0.1 and half["inputs"]["rehearse"]["share"] == 0.25
    assert first["inputs"]["rehearse"]["rows"] == half["inputs"]["rehearse"]["rows"]
    assert "rehearse" not in stored.parts_of(steps_of(stored, "forgets")["train"])["inputs"]
    (stored.folder / "arms/rehearsed/4-rehearse/manifest.json").unlink()
    assert stored.parts_of(steps_of(stored, "half")["train"]) is None
