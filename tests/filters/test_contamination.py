import random

import pytest

from cotdistill.demo.tasks import SETS
from cotdistill.filters.contamination import BenchmarkIndex
from cotdistill.records import Message, Problem
from tests.support.shared_data import json_rows
from tests.support.traces import trace

QUESTION = (
    "Bella bought stamps at the post office. Some of the stamps had a snowflake design, some had a truck design, "
    "and some had a rose design. How many stamps did she buy?"
)
CHINESE = "小明在书店买了三本数学书和五本故事书，每本书的价格都是二十元，请问他一共花了多少钱？"
TASKS = {
    "holdout": [Problem(id="h1", question=QUESTION, gold="32"), Problem(id="h2", question="What is 2 + 3?", gold="5")],
    "mgsm_zh": [Problem(id="z1", question=CHINESE), Problem(id="z2", question="")],
}
BENCHMARKS = BenchmarkIndex(TASKS)
RUNS_ONLY = BenchmarkIndex(TASKS, least_share=None)


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


@pytest.mark.parametrize(
    ("turn", "says"), [("What is 2 + 3?", "is problem h2"), (f"So: {QUESTION}", "13 words in a row")]
)
def test_a_question_of_the_exam_in_an_earlier_turn_is_found(turn, says):
    row = trace(question="And then?")
    context = (Message(role="user", content=turn), Message(role="assistant", content="Five."))
    row = row.model_copy(update={"problem": row.problem.model_copy(update={"context": context})})
    found = str(BENCHMARKS.reason_against(row))
    assert "earlier turn" in found and says in found


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not():
    words = QUESTION.split()
    for start in range(len(words) - 13):
        assert "13 words in a row of the question (limit 12)" in str(
            BENCHMARKS.reason_against(trace(question="Anna " + " ".join(words[start : start + 13])))
        )
        assert RUNS_ONLY.reason_against(trace(question="Anna " + " ".join(words[start : start + 12]))) is None


@pytest.mark.parametrize(("name", "more"), [("reasoning", {"reasoning": QUESTION}), ("answer", {"text": QUESTION})])
def test_a_question_quoted_by_the_teacher_is_found(name, more):
    reason = BENCHMARKS.reason_against(trace(**more))
    assert str(reason) == (
        f"contaminated: 13 words in a row of the {name} (limit 12) stand in problem h1 of `holdout`: "
        "bella bought stamps at the post office some of the stamps had a"
    )


def test_a_script_without_spaces_needs_twice_as_many_characters():
    assert "mgsm_zh" in BENCHMARKS.reason_against(trace(question="问题：" + CHINESE[:28])).text
    assert RUNS_ONLY.reason_against(trace(question="问题：" + CHINESE[:24])) is None


@pytest.mark.parametrize("question", ["", "?!", "What is 3 + 2?", "How many stamps did she buy?"])
def test_what_shares_little_is_kept(question):
    assert BENCHMARKS.reason_against(trace(question=question)) is None
    assert BenchmarkIndex({}).reason_against(trace(question=QUESTION)) is None


def test_every_run_of_a_long_text_is_found_wherever_it_stands():
    run = " ".join(QUESTION.split()[5:18])
    for before in range(40):
        text = " ".join(["word"] * before) + f" {run} " + "word " * 20
        assert "13 words in a row of the reasoning" in str(RUNS_ONLY.reason_against(trace(reasoning=text)))


def made_up(rng, count=48):
    return [f"{rng.choice('bdfgklmnprst')}{rng.choice('aeiou')}{rng.randrange(60)}" for _ in range(count)]


def changed(words, rng, every=12):
    """Return a question with one word in every twelve replaced."""
    first = rng.randrange(every)
    return [made_up(rng, 1)[0] if place % every == first else word for place, word in enumerate(words)]


def test_a_question_with_one_word_in_twelve_changed_is_found_and_another_one_is_not():
    rng = random.Random(3)
    exam = [made_up(rng) for _ in range(200)]
    index = BenchmarkIndex({"t": [Problem(id=str(n), question=" ".join(q), gold="7") for n, q in enumerate(exam)]})
    for n, question in enumerate(exam):
        reason = index.reason_against(trace(question=" ".join(changed(question, rng))))
        assert f"of problem {n} of `t`" in reason.text
        assert index.reason_against(trace(question=" ".join(made_up(rng)))) is None


def test_a_question_without_spaces_is_found_with_one_character_in_twelve_changed():
    text = CHINESE[:11] + "买" + CHINESE[12:23] + "钱" + CHINESE[24:35] + "几" + CHINESE[36:]
    assert "mgsm_zh" in BENCHMARKS.reason_against(trace(question=text)).text
    assert RUNS_ONLY.reason_against(trace(question=text)) is None


def test_full_width_digits_and_zero_width_characters_hide_nothing():
    hidden = QUESTION.replace("stamps", "sta\u200bmps").replace("How", "Ｈｏｗ")
    assert "the question is problem h1" in BENCHMARKS.reason_against(trace(question=hidden)).text


def test_another_gold_asks_for_a_larger_share():
    halves = " ".join(QUESTION.split()[:12]) + " and we do not know what happened next"
    assert "limit below 30%" in BENCHMARKS.reason_against(trace(question=halves, gold="32.0")).text
    assert BENCHMARKS.reason_against(trace(question=halves, gold="33")) is None
    nearly = QUESTION.replace("post", "mail").replace("snowflake", "flower").replace("rose", "tree")
    assert "limit below 30%" in BENCHMARKS.reason_against(trace(question=nearly, gold="32")).text
    assert "limit below 50%" in BENCHMARKS.reason_against(trace(question=nearly, gold="33")).text


def test_problems_of_one_template_are_no_copies_of_each_other():
    def asked(n):
        return f"Use the numbers {n}, {n + 3} and {2 * n + 1} once each and write down an equation for {5 * n}."

    exam = [Problem(id=str(n), question=asked(n), gold=str(n)) for n in range(100, 150)]
    index = BenchmarkIndex({"t": exam})
    assert [index.reason_against(trace(question=asked(n), gold=str(n))) for n in range(200, 250)] == [None] * 50


@pytest.mark.parametrize("name", sorted(SETS))
def test_questions_of_one_generator_seldom_drop_each_other(name):
    problems = list(SETS[name].problems(500, seed=1))
    index = BenchmarkIndex({"holdout": problems[:100]})
    runs_only = BenchmarkIndex({"holdout": problems[:100]}, least_share=None)
    asked = [trace(question=problem.question, gold=problem.gold) for problem in problems[100:]]
    by_share = [row for row in asked if index.reason_against(row) and not runs_only.reason_against(row)]
    assert len(by_share) <= 0.02 * len(asked)


def test_on_gsm8k_all_changed_questions_are_found_at_few_false_hits():
    def problems(split):
        return [Problem(id=str(n), question=row["question"]) for n, row in enumerate(json_rows(f"gsm8k/{split}.jsonl"))]

    rng, exam = random.Random(5), problems("test")
    index, runs_only = BenchmarkIndex({"t": exam}), BenchmarkIndex({"t": exam}, least_share=None)
    texts = [" ".join(changed(problem.question.split(), rng)) for problem in exam]
    assert all(index.reason_against(trace(question=text)) for text in texts)
    assert sum(runs_only.reason_against(trace(question=text)) is not None for text in texts) < 0.2 * len(texts)
    assert sum(index.reason_against(trace(question=problem.question)) is not None for problem in problems("train")) <= 7
