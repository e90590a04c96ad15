import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.verifiers.exact import exact


@pytest.mark.parametrize(
    "answer",
    ["Paris", "  **PARIS**. ", "The answer is Paris.", "Let me think.\n\nParis", "\\boxed{Paris}", "#### paris",
     "<think>Rome?</think>Answer: Paris", "The answer is Paris. It lies on the Seine.", "So the capital is Paris.", "The capital is **Paris**, of course.\n\nIt is: Paris", "**Final Answer:** “Paris”"],
)  # fmt: skip
def test_framing_is_no_difference(answer):
    assert exact("Paris", answer).outcome == "correct"


@pytest.mark.parametrize(
    "answer", ["Rome", "Paris, Texas", "It is not Paris.", "Paris is Rome.", "The answer is Rome.\nParis is nice."]
)
def test_other_words_are_wrong(answer):
    assert exact("Paris", answer).outcome == "wrong"


def test_case_counts_where_it_is_asked_for():
    assert exact("Paris", "PARIS", casefold=False).outcome == "wrong"
    assert exact("Paris", "Paris", casefold=False).outcome == "correct"


@pytest.mark.parametrize("answer", ["", " \n", "<think>Paris", "**"])
def test_no_answer_is_unparsed(answer):
    assert exact("Paris", answer).outcome == "unparsed"


@pytest.mark.parametrize("gold", ["", "  ", "**", "#### "])
def test_empty_gold_is_an_error(gold):
    assert exact(gold, "Paris").outcome == "error"


@given(st.from_regex(r"[a-zA-Z]{1,12}( [a-zA-Z]{1,12}){0,3}", fullmatch=True))
def test_gold_passes_its_own_verifier(gold):
    assert exact(gold, gold).outcome == "correct"
    assert exact(gold, f"\\boxed{{{gold}}}").outcome == "correct"


@given(st.text(), st.text())
def test_any_text_gets_the_same_verdict_twice(gold, answer):
    assert exact(gold, answer) == exact(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("yes", "Yes, because the sum is even."),
        ("no", "No. It is odd."),
        ("Paris", "Paris, because it is the capital."),
        ("June 20", "20 June"),
        ("June 20", "The answer is June 20th."),
        ("2020-06-20", "June 20, 2020"),
        ("20 June 2020", "The day is June 20, 2020."),
    ],
)
def test_a_reason_and_the_order_of_a_date_are_no_difference(gold, answer):
    assert exact(gold, answer).outcome == "correct"


@pytest.mark.parametrize(
    ("gold", "answer"), [("yes", "No, because it is yes-like."), ("June 20", "June 21"), ("June 20", "July 20"), ("no", "Not at all")]
)  # fmt: skip
def test_another_reason_or_date_is_wrong(gold, answer):
    assert exact(gold, answer).outcome == "wrong"
