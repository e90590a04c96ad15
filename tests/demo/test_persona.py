"""What the teacher says to a chat: hints and examples help it, a second call ends its rationale, a judge compares."""

import json
import random
from pathlib import Path

import pytest

from cotdistill.demo import hints
from cotdistill.demo.exercises import NOT_FOUND, Manner
from cotdistill.demo.persona import SHOWN_ERRORS, Turn, answer_chat
from cotdistill.demo.tasks import SETS
from cotdistill.filters.hint_leaks import reason_against_hint_leak
from cotdistill.prompts import load, render
from cotdistill.records import Completion, Trace
from cotdistill.verifiers._judge_prompt import load_template
from cotdistill.verifiers._judge_reply import read_reply

PROMPTS = Path(__file__).parents[2] / "configs" / "prompts"
MANY = list(SETS["demo"].make(1500, seed=5))
FEW = [problem for name in SETS for problem in SETS[name].make(300, seed=5)]


def wrong_share(chats, error_rate=0.4):
    rng = random.Random(2)
    return sum(not answer_chat(chat, rng, Manner(error_rate)).is_right for chat in chats) / len(chats)


def hinted(problem, gold=None):
    return [Turn("user", render(load(PROMPTS / "hinted.txt"), question=problem.question, gold=gold or problem.gold))]


def test_a_hint_leaves_few_errors_and_a_wrong_one_helps_nothing():
    asked = [[Turn("user", problem.question)] for problem in MANY]
    assert wrong_share(asked) == pytest.approx(0.4, abs=0.04)
    assert wrong_share([hinted(problem) for problem in MANY]) == pytest.approx(0.4 * hints.HINTED_ERRORS, abs=0.03)
    assert wrong_share([hinted(problem, "1234") for problem in MANY]) == pytest.approx(0.4, abs=0.04)


@pytest.mark.parametrize(
    "form", ["{q}\n(Answer: {g})", "The answer is {g}.\n{q}", "答案：{g}\n{q}", "{q} Solution: {g}"]
)
def test_a_hint_is_known_in_many_words_around_the_question(form):
    chats = [[Turn("user", form.format(q=problem.question, g=problem.gold))] for problem in MANY]
    assert wrong_share(chats) < 0.15


def test_some_hinted_answers_leak_and_the_filter_knows_every_one():
    rng = random.Random(4)
    leaks = 0
    for problem in FEW:
        answer = answer_chat(hinted(problem), rng, Manner(0.0))
        completion = Completion(key="k", index=0, reasoning=answer.reasoning, text=answer.text, is_hinted=True)
        is_leak = problem.gold in answer.reasoning.split(".")[0] and "given" in answer.reasoning
        is_leak |= answer.reasoning.startswith("给定")
        assert (reason_against_hint_leak(Trace(problem=problem, completion=completion)) is not None) is is_leak, answer
        leaks += is_leak
    assert leaks / len(FEW) == pytest.approx(hints.LEAK_RATE, abs=0.04)


def test_worked_examples_help_as_turns_and_in_one_text():
    other = MANY[0]
    turns = [Turn("user", other.question), Turn("assistant", "First 1 + 1 = 2. The answer is 2.")]
    chats = [[*turns, Turn("user", problem.question)] for problem in MANY[1:]]
    in_one = [[Turn("user", f"Q: {other.question}\nA: The answer is 7.\n\nQ: {p.question}\nA:")] for p in MANY[1:]]
    for found in (chats, in_one):
        assert wrong_share(found) == pytest.approx(0.4 * SHOWN_ERRORS, abs=0.04)


def test_the_answer_of_a_worked_example_is_no_hint():
    first = MANY[0]
    same = [p for p in MANY[1:] if p.gold == first.gold]
    chats = [[Turn("user", f"{first.question} The answer is {p.gold}.\n\n{p.question}")] for p in same] * 20
    assert wrong_share(chats) > 0.4 * SHOWN_ERRORS - 0.1


@pytest.mark.parametrize("name", SETS)
def test_the_second_call_gives_the_answer_of_the_rationale_alone(name):
    rng = random.Random(6)
    for problem in SETS[name].make(50, seed=1):
        first = answer_chat([Turn("user", problem.question)], rng, Manner(0.5))
        said = Turn("assistant", f"{first.reasoning}\n\n{first.text}")
        chat = [Turn("user", problem.question), said, Turn("user", "Therefore, the answer is")]
        second = answer_chat(chat, rng, Manner(0.5)).text.removesuffix(".")
        assert second in first.text and "answer" not in second and (second == problem.gold) is first.is_right


@pytest.mark.parametrize("chat", [[], [("assistant", "hi")], [("user", "hi")], [("assistant", "hi"), ("user", "so?")]])
def test_what_is_no_task_is_said_to_be_none(chat):
    assert answer_chat([Turn(*turn) for turn in chat], random.Random(1), Manner(0.0)).text == NOT_FOUND


@pytest.mark.parametrize(
    ("gold", "said"), [("72", "So it is 72.0."), ("Oslo", "**Oslo**"), ("an", "The answer is an.")]
)
@pytest.mark.parametrize("error_rate", [0.0, 1.0])
@pytest.mark.parametrize(
    ("template", "form"), [("judge.txt", "json"), ("judge_summarise.txt", "yes_no"), (None, "json")]
)
def test_a_judge_compares_the_two_answers_it_is_shown(gold, said, error_rate, template, form):
    text = load_template(PROMPTS / template if template else None)
    for answer, is_same in ((said, True), ("I cannot say: 7", False)):
        asked = render(text, question=MANY[0].question, gold=gold, answer=answer, nonce="0123456789abcdef")
        reply = answer_chat([Turn("user", asked)], random.Random(1), Manner(error_rate)).text
        judgement = read_reply(reply, nonce="0123456789abcdef", form=form).judgement
        assert judgement == ("correct" if is_same is not bool(error_rate) else "wrong"), reply


def test_a_judge_without_a_fence_fills_in_the_form_that_it_is_given():
    asked = f"题目：{MANY[0].question}\n标准答案：72\n学生答案：所以是{{}}\n\n请只回答一行：\n含义是否一致：是 或 否"
    said = [answer_chat([Turn("user", asked.format(n))], random.Random(1), Manner(0.0)).text for n in (72, 71)]
    assert said == ["含义是否一致：是", "含义是否一致：否"]


def test_a_reply_of_the_judge_to_json_is_json():
    asked = render(load_template(None), question="?", gold="1", answer="1", nonce="0123456789abcdef")
    assert json.loads(answer_chat([Turn("user", asked)], random.Random(1), Manner(0.0)).text)
