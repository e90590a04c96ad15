"""Trainings of several seeds: one student to begin with, one exam, and keys that differ in the seed alone."""

from dataclasses import replace

import pytest

from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.stage import Workspace

RECIPE = """\
name: t
seed: 5
problems: {dataset: demo, limit: 30, holdout: 10}
teacher: {kind: demo}
student: {kind: demo, base_steps: 0}
train: {max_steps: 2}
evaluate: {tasks: [holdout]}
seeds: [1, 2]
"""


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(RECIPE)
    return Pipeline(read_recipe(tmp_path / "t.yaml"), RunOptions())


def test_each_training_has_its_seed_and_begins_with_the_recipes_student(pipeline):
    handed = {}
    for name in ("t@1", "t@2"):
        step = next(step for step in pipeline.plan.arms[name] if step.stage.name == "train")
        noting = replace(step.stage, function=lambda _rows, _options, work, **_roles: [work])
        (handed[name],) = pipeline.rows(replace(step, stage=noting), [])
    assert [(work.seed, work.base_seed) for work in handed.values()] == [(1, 5), (2, 5)]
    student = pipeline.recipe.main.student
    alone = Workspace(pipeline.folder, pipeline.folder, 5)
    assert {work.base(student) for work in handed.values()} == {alone.base(student)}


def test_what_stands_before_the_trainings_is_drawn_by_the_recipes_seed(pipeline):
    for name in ("t@1", "t@2"):
        assert [step.seed for step in pipeline.plan.arms[name]] == [5, 5, 5, int(name[-1]), 5]
    assert [step.seed for step in pipeline.plan.arms["baseline"]] == [5]
