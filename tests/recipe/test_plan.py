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


COMMON = TEXT.partition("arms:")[0]


@pytest.fixture
def planned(tmp_path):
    def make(more, *overrides):
        (tmp_path / "t.yaml").write_text(COMMON + more)
        return make_plan(read_recipe(tmp_path / "t.yaml", overrides=overrides), recipe_part)

    return make


def rows(plan):
    return {row.pop("name"): row for row in plan.arms_json()["arms"]}


def test_every_row_says_what_it_is_and_which_one_it_is_compared_with(plan):
    said = rows(plan)
    assert said["unfiltered"] == {
        "kind": "trained",
        "baseline": "baseline",
        "stages": {
            "sample": "1-sample",
            **{name: f"arms/unfiltered/{n}-{name}" for n, name in enumerate(("filter", "convert", "train"), 2)},
            "evaluate": "arms/unfiltered/5-evaluate",
        },
    }
    assert (said["baseline"]["kind"], said["baseline"]["baseline"]) == ("baseline", None)
    assert list(said) == ["filtered", "unfiltered", "answer_only", "baseline"]


def test_an_arm_without_training_asks_the_base_in_its_own_style(planned):
    plan = planned("arms: {filtered: {}, prompted: {train: null, convert: {style: answer_only}}}\n")
    [step] = plan.arms["prompted"]
    assert (step.folder, step.upstream) == ("arms/prompted/5-evaluate", None)
    assert step.recipe.role("style").kind == "answer_only"
    assert rows(plan)["prompted"]["kind"] == "untrained"


def test_an_arm_without_training_in_the_same_style_is_the_baseline(planned):
    plan = planned("arms: {filtered: {}, prompted: {train: null}}\n")
    assert folders(plan, "prompted") == folders(plan, "baseline") == ["arms/baseline/5-evaluate"]


def test_every_student_has_a_baseline_of_its_own(planned):
    plan = planned("arms: {one: {}, two: {student: {base_steps: 9}}, three: {student: {base_steps: 9}, seed: 2}}\n")
    assert [row["baseline"] for row in rows(plan).values()] == ["baseline", "baseline@two", "baseline@two", None, None]
    assert folders(plan, "baseline") == ["arms/baseline/5-evaluate"]
    assert folders(plan, "baseline@two") == ["arms/baseline@two/5-evaluate"]
    assert [arm[-1].recipe.student.base_steps for arm in plan.arms.values()] == [800, 9, 9, 800, 9]


def test_students_that_only_arms_name_are_the_ones_with_baselines(planned):
    plan = planned("arms: {a: {student: {base_steps: 8}}, b: {student: {base_steps: 9}}}\n")
    assert [name for name in plan.arms if name.startswith("baseline")] == ["baseline@a", "baseline@b"]


@pytest.mark.parametrize(
    ("lora", "baselines"),
    [
        ("{kind: lora, model: org/m}", ["baseline"]),
        ("{kind: lora, model: org/m, revision: v2}", ["baseline", "baseline@lora"]),
        ("{kind: lora, model: org/other}", ["baseline", "baseline@lora"]),
    ],
)
def test_how_a_model_will_learn_makes_it_no_other_student(planned, lora, baselines):
    plan = planned(f"arms: {{whole: {{}}, lora: {{student: {lora}}}}}\n", "student={kind: full, model: org/m}")
    assert [name for name in plan.arms if name.startswith("baseline")] == baselines


def test_arms_that_ask_for_no_baseline_have_none(planned):
    plan = planned("arms: {a: {}, b: {student: {base_steps: 9}}}\n", "evaluate.baseline=false")
    assert list(plan.arms) == ["a", "b"]
    assert {row["baseline"] for row in rows(plan).values()} == {None}


def test_the_teacher_is_asked_in_a_folder_of_its_own_and_as_itself(planned):
    plan = planned("arms: {a: {}}\n", "evaluate.teacher=true")
    [step] = plan.arms["teacher"]
    assert step.folder == "arms/teacher/5-evaluate"
    assert step.uses == ("tasks", "verifier", "teacher")
    assert rows(plan)["teacher"] == {"kind": "teacher", "baseline": None, "stages": {"evaluate": step.folder}}
    assert all("teacher" not in other.uses for arm in ("a", "baseline") for other in plan.arms[arm][1:])


def test_seeds_train_and_evaluate_again_and_share_the_rest(planned):
    plan = planned("arms: {filtered: {seeds: [1, 2]}, unfiltered: {filter: {keep: all}, seeds: [7, 1234]}}\n")
    assert list(plan.arms) == ["filtered@1", "filtered@2", "unfiltered@7", "unfiltered@1234", "baseline"]
    shared = ["1-sample", "2-filter", "3-convert"]
    assert folders(plan, "filtered@1") == [*shared, "arms/filtered@1/4-train", "arms/filtered@1/5-evaluate"]
    assert folders(plan, "filtered@2") == [*shared, "arms/filtered@2/4-train", "arms/filtered@2/5-evaluate"]
    assert folders(plan, "unfiltered@7")[1:4] == [
        "arms/unfiltered/2-filter",
        "arms/unfiltered/3-convert",
        "arms/unfiltered@7/4-train",
    ]
    assert [step.seed for step in plan.arms["filtered@2"]] == [1234, 1234, 1234, 2, 1234]
    assert {key: rows(plan)["filtered@2"][key] for key in ("of", "seed", "baseline")} == {
        "of": "filtered",
        "seed": 2,
        "baseline": "baseline",
    }


def test_seeds_at_the_top_are_those_of_every_arm_that_trains(planned):
    plan = planned("seeds: [3, 4]\narms: {a: {}, once: {seeds: []}, prompted: {train: null}}\n")
    assert list(plan.arms) == ["a@3", "a@4", "once", "prompted", "baseline"]
    alone = planned("seeds: [3, 4]\n")
    assert folders(alone, "t@4") == ["1-sample", "2-filter", "3-convert", "arms/t@4/4-train", "arms/t@4/5-evaluate"]


def test_an_arm_that_learns_other_rows_has_no_part_in_the_sampling(planned):
    plan = planned("arms: {own: {}, s1k: {train: {dataset: s1K-1.1}}}\n")
    assert folders(plan, "s1k") == ["arms/s1k/4-train", "arms/s1k/5-evaluate"]
    assert plan.arms["s1k"][0].upstream is None


def test_an_arm_on_recorded_answers_filters_and_writes_them(planned):
    plan = planned("sample: {max_tokens: 99}\narms: {own: {}, s1k: {problems: {dataset: s.jsonl}, teacher: null}}\n")
    names = ("2-filter", "3-convert", "4-train", "5-evaluate")
    assert folders(plan, "s1k") == [f"arms/s1k/{name}" for name in names]
