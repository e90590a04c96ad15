"""Four models on four tasks: the recipe as it stands, on a tiny student and small copies of what it names."""

import json
import shutil
from collections import Counter

import pytest

from tests.support.article_sets import LANGUAGES, question, write_sets
from tests.support.tiny_student import SIZES

TASKS = ("gsm8k", "mgsm_cot_native", "mgsm_direct", "mmlu")
LIMIT = 3


@pytest.fixture
def work(tmp_path, repository):
    """A folder with the recipe and small copies of all that it names."""
    shutil.copytree(repository / "examples", tmp_path / "examples")
    write_sets(tmp_path / "data")
    return tmp_path


@pytest.fixture
def command(work, tokenizer_folder):
    """What a user types: a tiny student, two steps, a few tokens."""
    settings = {
        "student.model": tokenizer_folder,
        "student.init": "random",
        "student.config": json.dumps(SIZES),
        "train.deepspeed": "null",
        "train.num_processes": 1,
        "train.max_steps": 2,
        "train.bf16": "false",
        "evaluate.max_tokens": 4,
        "evaluate.limit": LIMIT,
    }
    overrides = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return lambda verb, *more: (verb, "examples/qwen2.5/evaluate_four.yaml", *overrides, *more)


def read_scores(work, arm):
    stages = {
        found["name"]: found["stages"]
        for found in json.loads((work / "runs/evaluate-four/arms.json").read_text())["arms"]
    }
    rows = work / "runs/evaluate-four" / stages[arm]["evaluate"] / "rows.jsonl"
    return [json.loads(line) for line in rows.read_text().splitlines()]


def test_the_recipe_passes_the_check_where_its_data_is(call, command):
    code, _, err = call(*command("check"))
    assert code == 0, err


@pytest.mark.slow
def test_four_models_are_asked_four_tasks_once(call, command, work):
    code, _, err = call(*command("run"))
    assert code == 0, err
    asked = {}
    for arm in ("baseline", "filtered", "unfiltered", "s1k"):
        scores = read_scores(work, arm)
        per_task = Counter(score["task"] for score in scores)
        assert per_task == {"gsm8k": LIMIT, "mgsm_cot_native": 11 * LIMIT, "mgsm_direct": 11 * LIMIT, "mmlu": 2 * LIMIT}
        asked[arm] = {(score["task"], score["problem"]["id"]) for score in scores}
        assert {s["problem"]["group"] for s in scores if s["task"] == "mgsm_direct"} == set(LANGUAGES)
        assert all(score["problem"]["choices"] == list("abcd") for score in scores if score["task"] == "mmlu")
    assert len(set(map(frozenset, asked.values()))) == 1, "every arm is asked the same"
    rejected = (work / "runs/evaluate-four/arms/s1k/2-filter/rejected.jsonl").read_text().splitlines()
    assert {json.loads(line)["kind"] for line in rejected} == {"contaminated"} and len(rejected) == 4

    code, _, err = call(*command("run"))
    assert code == 0 and "starts" not in err, err


@pytest.mark.slow
def test_planted_copies_of_the_exam_are_found_in_what_train_dataset_names(call, command, work):
    registered = {"planted": {"local_path": ".", "file_name": "planted.json"}}
    (work / "dataset_info.json").write_text(json.dumps(registered))
    planted = [{"instruction": f"Solve this. {question(n)}", "output": "42"} for n in range(0, 40, 4)]
    others = [{"instruction": f"Say {n}.", "output": str(n)} for n in range(10)]
    (work / "planted.json").write_text(json.dumps(others + planted))
    arms = "arms={planted: {teacher: null, filter: null, convert: null, train: {dataset: planted}}}"
    code, _, err = call(*command("run", "--set", arms, "--set", "evaluate.tasks=[gsm8k]", "--set", "evaluate.limit=40"))
    assert code == 0, err
    found = {s["problem"]["question"]: s["learned_from"] for s in read_scores(work, "planted") if s["learned_from"]}
    assert found == {question(n): f"planted:{10 + place}" for place, n in enumerate(range(0, 40, 4))}
    assert not any(score["learned_from"] for score in read_scores(work, "baseline"))
