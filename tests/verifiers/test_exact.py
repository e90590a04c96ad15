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
