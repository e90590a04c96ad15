import pytest

from cotdistill.report.overrides import overrides

MAIN = {
    "name": "r",
    "judge": None,
    "student": {"kind": "demo", "base_steps": 800},
    "filter": {"keep": "correct", "pass_rate": None},
    "convert": {"style": {"kind": "plain", "system": None}},
    "train": {"learning_rate": 0.003},
    "evaluate": {"prefill": "<think>\n"},
    "rounds": [{"problems": 300, "select": None}],
}


@pytest.mark.parametrize(
    ("arm", "lines"),
    [
        ({}, ()),
        (
            {"filter": {"keep": "all", "pass_rate": [0.1, 0.9]}},
            ("filter.keep: correct -> all", "filter.pass_rate: none -> [0.1, 0.9]"),
        ),
        ({"convert": {"style": {"kind": "answer_only", "tag": 1}}}, ("convert.style: plain -> answer_only",)),
        ({"student": {"kind": "full", "model": "Qwen/Qwen2.5-7B"}}, ("student: demo -> full · Qwen/Qwen2.5-7B",)),
        ({"student": {"kind": "demo", "base_steps": 9}}, ("student.base_steps: 800 -> 9",)),
        ({"train": None}, ("train: on -> none",)),
        ({"evaluate": {"prefill": ""}}, (r'evaluate.prefill: "<think>\n" -> ""',)),
        ({"convert": {"style": {"kind": "plain", "system": "none"}}}, ('convert.style.system: none -> "none"',)),
        (
            {"rounds": [{"problems": 9, "select": {"kind": "failed"}, "keep_own": None}]},
            ('rounds: [{"problems": 300}] -> [{"problems": 9, "select": "failed"}]',),
        ),
        ({"name": "other"}, ()),
    ],
)
def test_each_key_that_an_arm_changes_is_a_line(arm, lines):
    assert overrides({"main": MAIN, "a": MAIN | arm}, "a") == lines


def test_of_an_arm_without_a_recipe_nothing_is_known():
    assert overrides({"main": MAIN}, "baseline") is None
    assert overrides({}, "a") is None
