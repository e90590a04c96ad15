import json

import pytest

from cotdistill.report.as_json import as_json
from cotdistill.report.read import read_run


def test_each_arm_has_accuracy_interval_and_number(make_run):
    found = as_json(read_run(make_run()))
    assert found["baseline"] == "baseline"
    for arm in found["arms"]:
        low, high = arm["ci95"]
        assert 0 <= low <= arm["accuracy"] <= high <= 1
        assert arm["n"] == 300
        assert arm["tasks"] == {"holdout": {key: arm[key] for key in arm["tasks"]["holdout"]}}


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


def test_several_tasks_are_pooled_at_the_top(make_run):
    arm = as_json(read_run(make_run(tasks=("a", "b"), n=50)))["arms"][0]
    assert arm["n"] == sum(task["n"] for task in arm["tasks"].values()) == 100
    assert arm["accuracy"] == pytest.approx(sum(task["accuracy"] for task in arm["tasks"].values()) / 2)


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
