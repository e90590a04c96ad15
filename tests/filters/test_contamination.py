import pytest

from cotdistill.filters.contamination import BenchmarkIndex
from cotdistill.records import Problem
from tests.support.traces import trace

QUESTION = (
    "Bella bought stamps at the post office. Some of the stamps had a snowflake design, some had a truck design, "
    "and some had a rose design. How many stamps did she buy?"
)
CHINESE = "小明在书店买了三本数学书和五本故事书，每本书的价格都是二十元，请问他一共花了多少钱？"
BENCHMARKS = BenchmarkIndex(
    {
        "holdout": [Problem(id="h1", question=QUESTION), Problem(id="h2", question="What is 2 + 3?")],
        "mgsm_zh": [Problem(id="z1", question=CHINESE), Problem(id="z2", question="")],
    }
)


@pytest.mark.parametrize(
    ("question", "where"),
    [
        (QUESTION.upper(), "problem h1 of `holdout`"),
        ("what is  2+3", "problem h2 of `holdout`"),
        (CHINESE.replace("，", " "), "problem z1 of `mgsm_zh`"),
    ],
)
def test_the_same_question_in_other_clothes_is_found(question, where):
    assert (
        str(BENCHMARKS.reason_against(trace(question=question)))
        == f"contaminated: the question is {where} (limit 0 words in common)"
    )


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not():
    words = QUESTION.split()
    for start in range(len(words) - 13):
        assert "13 words in a row of the question (limit 12)" in str(
            BENCHMARKS.reason_against(trace(question="Anna " + " ".join(words[start : start + 13])))
        )
        assert BENCHMARKS.reason_against(trace(question="Anna " + " ".join(words[start : start + 12]))) is None


@pytest.mark.parametrize(("name", "more"), [("reasoning", {"reasoning": QUESTION}), ("answer", {"text": QUESTION})])
def test_a_question_quoted_by_the_teacher_is_found(name, more):
    reason = BENCHMARKS.reason_against(trace(**more))
    assert str(reason) == (
        f"contaminated: 13 words in a row of the {name} (limit 12) stand in problem h1 of `holdout`: "
        "bella bought stamps at the post office some of the stamps had a"
    )


def test_a_script_without_spaces_needs_twice_as_many_characters():
    assert "mgsm_zh" in BENCHMARKS.reason_against(trace(question="问题：" + CHINESE[:28])).text
    assert BENCHMARKS.reason_against(trace(question="问题：" + CHINESE[:24])) is None


@pytest.mark.parametrize("question", ["", "?!", "What is 3 + 2?", "How many stamps did she buy?"])
def test_what_shares_little_is_kept(question):
    assert BENCHMARKS.reason_against(trace(question=question)) is None
    assert BenchmarkIndex({}).reason_against(trace(question=QUESTION)) is None
