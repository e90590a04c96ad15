import pytest

from cotdistill.filters.refusals import LEAD_CHARS, reason_against_refusal
from tests.support.traces import trace


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot answer this question.",
        "I cannot assist with this request.",
        "Unfortunately, I am unable to provide a solution.",
        "As an AI language model, I have no apples.",
        "I must decline.",
        "抱歉，我无法回答这个问题。",
        "对不起，我不能提供帮助。",
        "作为一个人工智能，我没有苹果。",
    ],
)
def test_declining_is_a_refusal(text):
    assert str(reason_against_refusal(trace(text))).startswith("refused: the answer begins with `")


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 7.",
        "I can't find a smaller one, so it is 7.",
        "Tom says: sorry, there are 7 apples.",
        "I cannot help but notice that 3 + 4 = 7.",
        "抱歉，刚才算错了：答案是7。",
        "x" * LEAD_CHARS + " I cannot help with that.",
    ],
)
def test_an_answer_is_no_refusal(text):
    assert reason_against_refusal(trace(text)) is None
