import pytest

from cotdistill.pipeline.step_keys import recipe_part
from cotdistill.recipe.plan import make_plan
from cotdistill.recipe.recipe import read_recipe

TEXT = """\
name: t
problems: {dataset: demo, limit: 30, holdout: 10}
teacher: {kind: demo}
student: {kind: demo}
train: {max_steps: 2}
evaluate: {tasks: [holdout]}
arms:
  filtered: {}
  unfiltered: {filter: {keep: all}}
  answer_only: {convert: {style: answer_only}}
"""


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "t.yaml").write_text(TEXT)
    return make_plan(read_recipe(tmp_path / "t.yaml"), recipe_part)


def folders(plan, arm):
    return [step.folder for step in plan.arms[arm]]


def test_arms_share_the_stages_that_do_not_differ(plan):
    assert folders(plan, "filtered") == ["1-sample", "2-filter", "3-convert", "4-train", "5-evaluate"]
    assert folders(plan, "unfiltered") == ["1-sample"] + [
        f"arms/unfiltered/{name}" for name in ("2-filter", "3-convert", "4-train", "5-evaluate")
    ]
    assert folders(plan, "answer_only")[:3] == ["1-sample", "2-filter", "arms/answer_only/3-convert"]
    assert folders(plan, "baseline") == ["arms/baseline/5-evaluate"]


def test_the_teacher_is_asked_in_one_place(plan):
    assert sum(step.stage.name == "sample" for step in plan.steps) == 1
