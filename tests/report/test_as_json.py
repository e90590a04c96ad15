import json

import pytest

from cotdistill.report.as_json import as_json
from cotdistill.report.read import read_run
from tests.support.exams import answers, write_exam


def test_each_arm_has_accuracy_interval_and_number(make_run):
    found = as_json(read_run(make_run()))
    assert found["baseline"] == "baseline"
    for arm in found["arms"]:
        low, high = arm["ci95"]
        assert 0 <= low <= arm["accuracy"] <= high <= 1
        assert arm["n"] == 300
        (task,) = arm["tasks"]
        assert (task["task"], task["accuracy"], task["ci95"], task["n"]) == (
            "holdout",
            arm["accuracy"],
            arm["ci95"],
            300,
        )
        assert arm["mean_accuracy"] == arm["accuracy"]


def test_a_difference_is_in_points_and_adds_up(make_run):
    arms = {arm["name"]: arm for arm in as_json(read_run(make_run()))["arms"]}
    difference = arms["unfiltered"]["difference"]
    assert difference["against"] == "baseline"
    assert difference["points"] == pytest.approx(100 * (difference["gained"] - difference["lost"]) / difference["n"])
    assert difference["ci95"][0] < difference["points"] < difference["ci95"][1]
    assert arms["unfiltered"]["difference_to_first"]["against"] == "filtered"
    assert arms["baseline"]["difference"] is None


def test_an_arm_that_was_not_evaluated_has_null_and_not_zero(make_run):
    run = make_run(pending=[("filtered", "evaluate")])
    (run / "arms/baseline/5-evaluate/rows.jsonl").write_text("")
    arms = {arm["name"]: arm for arm in as_json(read_run(run))["arms"]}
    for name in ("filtered", "baseline"):
        assert (arms[name]["accuracy"], arms[name]["ci95"], arms[name]["n"]) == (None, None, 0)
    assert arms["filtered"]["funnel"]["trained"] == 32


def test_several_tasks_are_never_counted_together(make_run):
    found = as_json(read_run(make_run(tasks=("a", "b"), n=50)))
    arm = found["arms"][0]
    assert (arm["accuracy"], arm["ci95"], arm["difference"]) == (None, None, None)
    assert arm["n"] == sum(task["n"] for task in arm["tasks"]) == 100
    assert arm["mean_accuracy"] == pytest.approx(sum(task["accuracy"] for task in arm["tasks"]) / 2)
    assert [task["difference"]["against"] for task in arm["tasks"]] == ["baseline", "baseline"]


def test_every_two_arms_are_compared_on_every_task(make_run):
    found = as_json(read_run(make_run(tasks=("a", "b"), n=50)))
    pairs = [(pair["arm"], pair["against"]) for pair in found["pairs"]]
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == 6
    assert all(arm != "baseline" for arm, _ in pairs)
    assert ("unfiltered", "filtered") in pairs
    for pair in found["pairs"]:
        one, two = pair["tasks"]
        assert (one["task"], two["task"]) == ("a", "b")
        assert one["points"] == pytest.approx(2 * (one["gained"] - one["lost"]))
        assert one["ci95"][0] <= one["points"] <= one["ci95"][1]
        assert {one["p_holm"], two["p_holm"]} >= {min(1, 2 * min(one["p"], two["p"]))}
        assert one["smallest_points"] > 0
        assert one["test"] == "McNemar, exact"


def test_the_whole_is_strict_json(make_run):
    found = as_json(read_run(make_run()))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_waterfall_of_each_arm_ends_at_the_rows_kept(make_run):
    arms = {
        arm["name"]: arm for arm in as_json(read_run(make_run(traces=200, pending=[("answer_only", "train")])))["arms"]
    }
    for name in ("filtered", "answer_only"):
        waterfall = arms[name]["waterfall"]
        assert [drop["reason"] for drop in waterfall] == ["wrong", "unparsed"]
        assert waterfall[-1]["left"] == arms[name]["funnel"]["kept"]
        assert sum(drop["dropped"] for drop in waterfall) == 200 - arms[name]["funnel"]["kept"]
    assert arms["unfiltered"]["waterfall"] == []
    assert arms["baseline"]["waterfall"] is None


def test_a_task_has_all_its_numbers_and_those_of_its_groups(tmp_path):
    rows = {arm: answers(arm, {"gsm8k": 0.7, "mgsm": 0.5, "mmlu": 0.5}, attempts=2) for arm in ("sft", "baseline")}
    found = as_json(read_run(write_exam(tmp_path / "run", rows)))
    gsm8k, mgsm, mmlu = found["arms"][0]["tasks"]
    assert [task["task"] for task in (gsm8k, mgsm, mmlu)] == ["gsm8k", "mgsm", "mmlu"]
    assert [task["general"] for task in (gsm8k, mgsm, mmlu)] == [False, False, True]
    assert (gsm8k["n"], gsm8k["problems"], gsm8k["clusters"], gsm8k["groups"]) == (120, 60, 60, {})
    assert gsm8k["unparsed"] > 0
    assert (gsm8k["truncated"], gsm8k["unclosed"], gsm8k["forced"]) == (0, 0, 0)
    assert gsm8k["tokens"] == {"mean": 10, "p95": 10}
    assert gsm8k["pass_at_k"]["1"] == pytest.approx(gsm8k["accuracy"])
    assert gsm8k["pass_at_k"]["2"] >= gsm8k["pass_at_k"]["1"]
    assert gsm8k["equations"]["share"] == gsm8k["equations"]["all_hold"] / 120
    assert gsm8k["clean"] == {"n": 120, "accuracy": gsm8k["accuracy"]}
    assert list(mgsm["groups"]) == ["de", "fr"]
    assert (mgsm["groups"]["de"]["n"], mgsm["clusters"]) == (80, 40)
    pair = found["pairs"][0]["tasks"][0]
    assert (pair["gained"], pair["mcnemar_p"], pair["test"]) == (None, None, "sign flips of clusters")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
