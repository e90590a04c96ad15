"""Recipes of examples/papers that no miniature runs: `check` finds nothing where their sets are, and their arms are there."""

import json
import shutil

import pytest

from tests.support.tiny_student import SIZES
from tests.support.tiny_t5 import make_t5

SETS = {
    "medical-o1-reasoning-SFT_en.json": [
        {"Question": f"What is sign {n}?", "Complex_CoT": "Let me think.", "Response": f"It is {n}."} for n in range(40)
    ],
    "medical-o1-verifiable-problem.json": [
        {"Open-ended Verifiable Question": f"Which drug {n}?", "Ground-True Answer": f"Drug {n}"} for n in range(20)
    ],
    "gsm8k.json": [{"question": f"What is {n} + 7?", "answer": f"#### {n + 7}"} for n in range(400)],
    "CoT-Collection.json": {
        str(n): {"source": f"solve: ant {n}?", "rationale": "It is.", "target": str(n)} for n in range(40)
    },
    "strategyqa.json": [{"qid": f"s{n}", "question": f"Is {n} even?", "answer": n % 2 == 0} for n in range(20)],
    "no_robots.json": [
        {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}]}
        for n in range(20)
    ],
    "gsm8k_test.json": [{"question": f"What is {n} - 7?", "answer": f"#### {n - 7}"} for n in range(400, 420)],
}
BBH = [{"input": f"not ( True ) and {n} is", "target": said} for n, said in ((1, "False"), (2, "True"))]
"""Of each of its sets."""
ARMS = {
    "think_medical": ("blank_line", "light_thoughts", "begun", "prompt_only", "baseline"),
    "four_formats": (
        *("mixture_shown", "zero_shot_only", "zero_shot_only_shown", "likelihood", "larger", "larger_shown"),
        *("larger_zero_shot_only", "larger_zero_shot_only_shown", "larger_likelihood", "baseline", "baseline@larger"),
    ),
    "fine_tune_cot": (
        *("four_rationales", "two_rationales", "one_rationale", "answer_only", "prompt_only", "baseline", "teacher"),
    ),
    "hinted_teacher": ("unhinted", "leaks_kept", "a_quarter", "baseline"),
    "cot_collection_two_step": ("shown", "lora_second", "one_step", "broad_only", "baseline"),
    "conditioned_thinking": ("not_instructed", "hybrid", "hybrid_not_to_think", "thinking_alone", "baseline"),
    "top_up_sampling": ("one_each", "not_too_easy", "shortest", "majority", "baseline"),
}


@pytest.fixture
def work(tmp_path, repository, monkeypatch):
    for folder in ("examples", "configs"):
        shutil.copytree(repository / folder, tmp_path / folder)
    (tmp_path / "data").mkdir()
    for name, rows in SETS.items():
        (tmp_path / "data" / name).write_text(json.dumps(rows))
    for name in json.loads((repository / "dataset_info.json").read_text())["bbh"]["sets"].values():
        (tmp_path / "data" / f"{name}.json").write_text(json.dumps(BBH))
    for name in ("JUDGE_API_KEY", "TEACHER_API_KEY"):
        monkeypatch.setenv(name, "for-the-check")
    return tmp_path


PAIRS = {"hinted_teacher", "cot_collection_two_step"}
"""Recipes whose student is a T5."""


@pytest.mark.parametrize("name", ARMS)
def test_the_recipe_passes_the_check_with_all_arms(work, call, tokenizer_folder, name):
    student = {"kind": "full", "model": str(tokenizer_folder), "init": "random", "config": SIZES}
    if name in PAIRS:
        student = {"kind": "seq2seq", "model": make_t5(work / "t5")}
    settings = {"student": json.dumps(student), "train.bf16": "false"}
    overrides = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    code, out, err = call("check", f"examples/papers/{name}.yaml", "--no-probe", *overrides)
    assert code == 0, err
    assert all(f"arms/{arm}/" in out for arm in ARMS[name])


@pytest.mark.parametrize(
    "problems", ["{dataset: date_understanding, holdout: 1}", "{dataset: coin_flip, limit: 20, holdout: 4}"]
)
def test_fine_tune_cot_takes_the_papers_other_sets(work, call, tokenizer_folder, problems):
    student = {"kind": "full", "model": str(tokenizer_folder), "init": "random", "config": SIZES}
    given = {"problems": problems, "student": json.dumps(student)}
    overrides = [part for key, value in given.items() for part in ("--set", f"{key}={value}")]
    code, _, err = call("check", "examples/papers/fine_tune_cot.yaml", "--no-probe", *overrides)
    assert code == 0, err
