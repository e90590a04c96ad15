import pytest

from cotdistill.registry import make
from cotdistill.verifiers.choice import choice
from tests.support.choice_pairs import CHOSEN, NOT_CHOSEN


@pytest.mark.parametrize(("gold", "answer"), CHOSEN)
def test_the_chosen_letter_is_found(gold, answer):
    verdict = choice(gold, answer)
    assert (verdict.outcome, verdict.extracted) == ("correct", gold)


@pytest.mark.parametrize(("gold", "answer"), NOT_CHOSEN)
def test_a_letter_that_is_not_chosen_does_not_count(gold, answer):
    assert choice(gold, answer).outcome in ("wrong", "unparsed")


@pytest.mark.parametrize(
    "gold",
    ["C", "c", "(C)", "C.", "C)", "Ｃ", "\\boxed{C}", "\\text{(C)}", "$C$", "#### C", "C) Paris", "C. Paris", "**C**"],
)
def test_gold_may_be_written_in_many_ways(gold):
    assert choice(gold, "The answer is C.").outcome == "correct"
    assert choice(gold, "The answer is B.").outcome == "wrong"


@pytest.mark.parametrize("gold", ["", " ", "K", "2", "Paris", "AB", "A or B", "?"])
def test_gold_that_names_no_option_is_an_error_that_shows_it(gold):
    verdict = choice(gold, "The answer is C.")
    assert (verdict.outcome, verdict.extracted) == ("error", None)
    assert repr(gold) in verdict.reason


@pytest.mark.parametrize(
    "answer", ["The answer is Paris.", "**Paris**", "\\boxed{\\text{Paris}}", "The answer is Paris. It is in France."]
)
def test_the_text_of_the_right_option_is_as_good_as_its_letter(answer):
    assert choice("C) Paris", answer).outcome == "correct"
    assert choice("C", answer).outcome == "unparsed"
    assert choice("C) Rome", answer).outcome == "unparsed"


def test_texts_that_all_questions_share_are_an_option():
    pubmed = make("verifiers", "choice", texts=["yes", "no", "maybe"])
    assert pubmed("no", "The answer is no.").outcome == "correct"
    assert pubmed("B", "No").outcome == "correct"
    assert pubmed("no", "The answer is B.").outcome == "correct"
    assert pubmed("no", "The answer is maybe.").outcome == "wrong"
    assert pubmed("no", "I cannot tell.").outcome == "unparsed"
    assert pubmed("perhaps", "The answer is no.").outcome == "error"


def test_a_letter_beside_the_text_of_another_option_is_unparsed():
    verdict = choice("C) Paris", "The answer is B) Paris.")
    assert (verdict.outcome, verdict.reason) == ("unparsed", "the letter is B, the text that of C")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("\\boxed{B}", "boxed"),
        ("Answer: B", "answer"),
        ("Option B is correct.", "called right"),
        ("The correct option is (B)", "choice"),
        ("Thus, B.", "concluding sentence"),
        ("B", "line"),
        ("The answer is B or C.", "finals disagree: B, C"),
        ("Who knows?", "no option is chosen"),
    ],
)
def test_the_verdict_says_how_the_letter_was_found(answer, reason):
    assert choice("B", answer).reason == reason
