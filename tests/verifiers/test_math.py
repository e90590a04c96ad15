import pytest

from cotdistill.verifiers.math import math
from tests.support.expression_pairs import DIFFERENT, EQUAL, SEVERAL

TOWER = "9^{9^{9^{9}}}"


@pytest.mark.parametrize(("gold", "answer"), [*EQUAL, *SEVERAL])
def test_the_same_expression_in_another_notation_is_correct(gold, answer):
    assert math(gold, answer).outcome == "correct"


@pytest.mark.parametrize(("gold", "answer"), DIFFERENT)
def test_another_expression_is_not(gold, answer):
    assert math(gold, answer).outcome in ("wrong", "unparsed")


@pytest.mark.parametrize("gold", sorted({gold for gold, _ in [*EQUAL, *DIFFERENT]}))
def test_gold_passes_its_own_verifier(gold):
    assert math(gold, gold).outcome == "correct"
    assert math(gold, f"The computation is long.\n\n\\boxed{{{gold}}}").outcome == "correct"


@pytest.mark.parametrize(("gold", "answer"), [("7", TOWER), (TOWER, "7"), ("7", f"\\boxed{{{TOWER}}}")])
def test_a_tower_of_powers_is_no_verdict(gold, answer):
    verdict = math(gold, answer, timeout_s=0.3)
    assert (verdict.outcome, verdict.reason.partition(": ")[2]) == ("error", "takes more than 0.3 s of CPU time")
    assert math("2\\sqrt{3}", "\\sqrt{12}").outcome == "correct"


@pytest.mark.parametrize(
    "answer", ["\\boxed{\\frac{1}{}", "\\boxed{x^}", "\\boxed{+}", "\\boxed{)(}", "\\boxed{}", "?", ""]
)
def test_what_is_no_expression_is_unparsed(answer):
    assert math("2\\sqrt{3}", answer).outcome == "unparsed"


@pytest.mark.parametrize(
    ("gold", "reason"),
    [
        ("", "gold is empty"),
        ("$$", "gold is empty"),
        ("\\boxed{}", "gold is empty"),
        ("7" * 30_000, "gold is longer than 2,000 characters"),
        ("{" * 100_000, "gold is longer than 2,000 characters"),
        ("\\frac{x}{", "last sentence: gold cannot be read as an expression"),
    ],
)
def test_gold_that_cannot_be_compared_is_an_error_that_says_why(gold, reason):
    verdict = math(gold, "x = 5")
    assert (verdict.outcome, verdict.reason.replace("result", "last sentence")) == ("error", reason)


def test_numbers_and_words_are_compared_without_an_algebra_system():
    verdict = math("\\text{Evelyn}", "The answer is Carla.")
    assert (verdict.outcome, verdict.extracted, verdict.reason) == ("wrong", "Carla", "answer")
    assert math("\\$72", "So, she sold **72** clips.").reason.startswith("concluding sentence")
    assert math("x+y", "\\boxed{x + y}").reason == "boxed: same text"
    assert math("x+y", "\\boxed{y + x}").reason == "boxed: Math-Verify"
