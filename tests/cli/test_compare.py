import json

import pytest

from tests.support.exams import ASKED, TASKS, answers, write_exam

EVEN = dict.fromkeys(TASKS, 0.6)


@pytest.fixture
def run(tmp_path):
    """Write a run in which one arm forgets mmlu."""
    arms = {"sft": EVEN | {"mmlu": 0.3}, "safe": EVEN, "baseline": EVEN, "teacher": dict.fromkeys(TASKS, 0.95)}
    write_exam(tmp_path / "r", {arm: answers(arm, found) for arm, found in arms.items()})
    return tmp_path / "r"


def test_a_regression_fails_where_that_is_asked_for(call, run):
    code, out, _ = call("compare", "r", "--fail-on-regression")
    assert code == 1
    assert "forgotten: sft lost" in out
    assert "mmlu" in out
    assert call("compare", "r")[0] == 0
    assert call("compare", "r:safe", "r:baseline", "--fail-on-regression")[0] == 0
    code, out, err = call("compare", "r", "--json", "--fail-on-regression")
    assert (code, json.loads(out)["regressions"][0]["task"]) == (1, "mmlu")
    assert "forgotten: sft lost" in err


def test_a_report_of_a_regression_is_written_and_exits_with_1(call, run):
    code, out, _ = call("report", "r", "--json")
    assert (code, [drop["arm"] for drop in json.loads(out)["regressions"]]) == (1, ["sft"])
    assert "Forgotten: sft lost" in (run / "report.html").read_text()
    (run / "arms.json").write_text('{"arms": [{"name": "sft", "stages": {"evaluate": "5-evaluate"}}]}')
    assert call("report", "r")[0] == 0


@pytest.mark.parametrize(
    ("format", "begins"),
    [("table", "Accuracy"), ("md", "| model |"), ("csv", "model,run"), ("html", "<!DOCTYPE"), ("json", "{")],
)
def test_every_format_is_printed(call, run, format, begins):
    code, out, _ = call("compare", "r", "--format", format)
    assert code == 0
    assert out.startswith(begins)


def test_items_are_listed_in_every_format(call, run):
    found = json.loads(call("compare", "r", "--items", "gsm8k", "--json")[1])["items"]
    assert {item["kind"] for item in found} >= {"gained", "no answer", "another value"}
    assert "questions of gsm8k: solved by the teacher alone" in call("compare", "r", "--items", "gsm8k")[1]
    assert "## gsm8k: flipped against baseline" in call("compare", "r", "--items", "gsm8k", "--format", "md")[1]
    assert call("compare", "r", "--items", "gsm8k", "--format", "csv")[1].startswith("kind,problem,question")
    assert "solved by the teacher alone" in call("compare", "r", "--items", "gsm8k", "--format", "html")[1]


def test_runs_that_differ_are_refused(call, run, tmp_path):
    write_exam(tmp_path / "q", {"sft": answers("sft", EVEN)}, asked=ASKED | {"options": {"max_tokens": 65}})
    code, out, err = call("compare", "r", "q")
    assert (code, out) == (2, "")
    assert "error: q:sft: was not examined like r:sft: evaluate.max_tokens: 64 -> 65" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "none: is no run folder"),
        (["r:x"], "r:x: has no arm `x`"),
        (["r", "--items", "x"], "--items: no model was asked `x`"),
    ],
)
def test_bad_names_exit_with_2(call, run, arguments, said):
    code, _, err = call("compare", *arguments)
    assert code == 2
    assert said in err
