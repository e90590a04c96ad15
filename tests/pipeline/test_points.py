"""`evaluate: {checkpoints: all}` before and after a run: what it asks of a training, and what arms.json says of it."""

import json

import pytest

from cotdistill.errors import UserError
from cotdistill.pipeline.description import write_arms
from cotdistill.pipeline.outputs import store
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.pipeline.points import disk_of_points
from cotdistill.recipe.recipe import read_recipe
from cotdistill.records import Checkpoint
from cotdistill.storage.run_folder import LAYOUT, Counts, Manifest, write_manifest

RECIPE = """\
name: t
problems: {dataset: demo, limit: 30, holdout: 10}
teacher: {kind: demo}
student: {kind: demo, base_steps: 0}
train: {max_steps: 6, save_steps: 2}
evaluate: {tasks: [holdout], checkpoints: all}
"""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def open_pipeline(*overrides):
        (tmp_path / "t.yaml").write_text(RECIPE)
        return Pipeline(read_recipe(tmp_path / "t.yaml", overrides=overrides), RunOptions())

    return open_pipeline


def step(pipeline, name):
    return next(step for step in pipeline.plan.arms["t"] if step.stage.name == name)


def part(pipeline):
    return pipeline._part(step(pipeline, "train").stage, pipeline.recipe.main)


def test_a_training_whose_points_are_asked_is_another_one_and_the_last_alone_is_as_ever(opened):
    assert part(opened())["points"] == {"save_steps": 2, "save_strategy": None}
    assert part(opened("train.save_steps=3")) != part(opened())
    last = part(opened("evaluate.checkpoints=last"))
    assert "points" not in last
    assert part(opened("evaluate.checkpoints=last", "train.save_steps=3")) == last


def test_points_of_several_phases_are_refused(opened):
    with pytest.raises(UserError, match=r"t\.yaml:6: evaluate\.checkpoints: `all` asks the points of one training"):
        opened("train.phases=[{max_steps: 2}, {max_steps: 3}]").check()
    opened().check()


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ([], "evaluate.checkpoints: a whole student is kept every 2 steps, as much disk as its weights take each"),
        (["train.save_strategy=epoch"], "evaluate.checkpoints: a whole student is kept after every epoch, as much"),
    ],
)
def test_the_disk_that_points_take_is_told(opened, overrides, line):
    (found,) = disk_of_points(opened(*overrides).plan.steps).values()
    assert found.startswith(line)
    assert not disk_of_points(opened(*overrides, "evaluate.checkpoints=last").plan.steps)


def test_the_size_of_a_student_in_a_folder_is_told(opened, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(bytes(200_000_000))
    (found,) = disk_of_points(opened("student={kind: full, model: model}").plan.steps).values()
    assert found == "evaluate.checkpoints: a whole student is kept every 2 steps, 0.2 GB each"


def test_arms_json_says_where_the_points_that_were_asked_are(opened):
    pipeline = opened()
    train, evaluate = step(pipeline, "train"), step(pipeline, "evaluate")
    folder = pipeline.folder / train.folder
    folder.mkdir(parents=True)
    rows = [Checkpoint(path=f"p{n}", fingerprint=f"f{n}", steps=n, rows=9 if n == 6 else 0) for n in (6, 2, 4)]
    counts, outputs = store(train, folder, iter(rows))
    assert counts.rows_out == 9, "points are no rows of their own"

    def entry():
        write_arms(pipeline.plan, pipeline.folder)
        return json.loads((pipeline.folder / "arms.json").read_text())["arms"][0]

    assert "steps" not in entry()
    said = {"stage": "train", "key": "k", "recipe": {}, "versions": {}, "started": "", "seconds": 0.0}
    write_manifest(folder, Manifest(layout=LAYOUT, outputs=outputs, counts=Counts(), **said))
    assert "steps" not in entry()
    for n in (2, 4):
        asked = pipeline.folder / evaluate.folder / f"points/step-{n}"
        asked.mkdir(parents=True)
        (asked / "rows.jsonl").touch()
    assert entry()["steps"] == [
        {"step": 2, "folder": "5-evaluate/points/step-2"},
        {"step": 4, "folder": "5-evaluate/points/step-4"},
    ]
