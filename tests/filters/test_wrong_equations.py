import pytest

from cotdistill.filters.wrong_equations import reason_against_wrong_equations
from cotdistill.scoring.equations import read_equations
from tests.support.shared_data import json_rows
from tests.support.traces import trace


@pytest.mark.parametrize(
    "text",
    [
        "48 / 2 = 24 and 24 + 48 = 72.",
        "10 / 3 ≈ 3.33",
        "x + 2 = 5, so x = 3.",
        "1 hour = 60 minutes",
        "No equation at all.",
        "",
    ],
)
def test_what_holds_or_cannot_be_told_is_kept(text):
    assert reason_against_wrong_equations(trace(text, text), read_equations) is None


def test_the_reason_says_where_and_what():
    wrong = "First 3 + 4 = 7.\nThen 48 / 2 = 25.\nAnd 5 * 5 = 24."
    reason = reason_against_wrong_equations(trace(reasoning=wrong), read_equations)
    assert str(reason) == (
        "wrong_equations: 2 of 3 equations of the reasoning do not hold (limit 0); the first says 25 where it is 24"
    )
    reason = reason_against_wrong_equations(trace("So 10 / 4 = 2.4"), read_equations)
    assert reason.text.startswith("1 of 1 equations of the answer do not hold")
    assert reason.text.endswith("the first says 2.4 where it is 2.5")


def test_few_right_answers_of_a_good_teacher_go():
    rows = json_rows("r1_gsm8k/traces.jsonl")
    found = [
        r["id"]
        for r in rows
        if reason_against_wrong_equations(trace(r["answer"], r["reasoning"], gold=r["gold"]), read_equations)
    ]
    assert len(found) <= 0.02 * len(rows)
