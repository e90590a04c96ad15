"""The last number of a text, whatever else it says."""

import pytest

from cotdistill.registry import make

verify = make("verifiers", "last_number")


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1000", "So there are 1,000."),
        ("1,000", "1000"),
        ("18", "She makes 9 * 2 = $18.00 a day."),
        ("#### 72", "48 + 24 = 72"),
        ("1234567.5", "It is 1,234,567.5 grams"),
        ("0.5", "half, so .5"),
        ("-3", "The difference is -3."),
        ("3", "5-3"),
        ("3", "a list: 1,2,3"),
        ("3000", "a list: 12,3000"),
        ("7", "<think>8</think>7"),
    ],
)
def test_the_same_value_is_correct(gold, answer):
    assert verify(gold, answer).outcome == "correct"


def test_the_last_number_counts_and_not_the_declared_one():
    verdict = verify("72", "The answer is **72**. That took 3 steps.")
    assert (verdict.outcome, verdict.extracted) == ("wrong", "3")


@pytest.mark.parametrize("answer", ["", "many", "<think>72", "9" * 100])
def test_a_text_without_a_number_is_unparsed(answer):
    assert verify("72", answer).outcome == "unparsed"


def test_gold_without_a_number_is_the_verifiers_own_error():
    assert verify("Paris", "72").outcome == "error"
