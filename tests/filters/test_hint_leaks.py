import pytest

from cotdistill.filters.hint_leaks import reason_against_hint_leak
from tests.support.traces import trace


@pytest.mark.parametrize(
    "said",
    [
        "We know that the given answer is 7.",
        "This matches the provided answer.",
        "That agrees with the reference answer, so we are done.",
        "Since the answer is already given as 7, we check it.",
        "The answer provided says 7.",
        "The hint says that it is 7.",
        "I was told the correct answer is 7.",
        "We are given the final answer, 7.",
        "I already know the answer should be 7.",
        "Let us work backwards from the answer.",
        "The answer is supposed to be 7.",
        "Hmm, the final answer must be **7**, so there is a mistake.",
        "根据提示，我们知道结果是7。",
        "已知答案是7，所以我们来验证。",
        "这与给定的答案一致。",
        "题目已经告诉我们正确答案是7。",
        "提示中说结果是7。",
        "由答案倒推可得。",
        "参考答案为7。",
    ],
)
def test_speaking_of_the_answer_shown_is_a_leak(said):
    for hinted in (trace(reasoning=said, is_hinted=True), trace(text=said, is_hinted=True)):
        reason = reason_against_hint_leak(hinted)
        assert reason.kind == "hint_leak"
        assert reason.text.startswith("the ")
        assert "limit 0" in reason.text
    assert reason_against_hint_leak(trace(reasoning=said)) is None


@pytest.mark.parametrize(
    "said",
    [
        "So the correct answer is 7.",
        "The final answer is 7. The answer should be in dollars, because the answer needs to be a price.",
        "We are given that Tom has 3 apples, and told to find the sum.",
        "The given numbers are 3 and 4, a known result of addition is 7.",
        "所以正确答案是7。",
        "题目给出了3和4，答案是7。",
        "已知小明有3个苹果。",
    ],
)
def test_giving_an_answer_is_no_leak(said):
    assert reason_against_hint_leak(trace(text=said, reasoning=said, is_hinted=True)) is None
