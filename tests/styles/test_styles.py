"""One test over all styles: what a style writes it reads back, and an unfinished thought is no answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.records import Completion, Problem, Trace
from cotdistill.registry import kinds, make
from cotdistill.styles import conversation
from cotdistill.styles.thought_solution import SYSTEM

PROBLEM = Problem(id="p", question="How many clips?", gold="72")
STYLES = sorted(kinds("styles"))


def completion(reasoning, text):
    return Completion(key="k", index=0, text=text, reasoning=reasoning)


GOLDEN = {
    "thought_solution": (
        "<|begin_of_thought|>\n\n48 + 24 = 72<|end_of_thought|>\n\n<|begin_of_solution|>\n\nIt is 72.<|end_of_solution|>"
    ),
    "think": "<think>\n48 + 24 = 72\n</think>\n\nIt is 72.",
    "plain": "48 + 24 = 72\n\nIt is 72.",
    "answer_only": "It is 72.",
}


@pytest.mark.parametrize("name", STYLES)
def test_the_student_learns_exactly_this(name):
    assert make("styles", name).answer(completion("48 + 24 = 72", "It is 72.")) == GOLDEN[name]


lines = st.text(st.characters(codec="utf-8", exclude_characters="\n\r<>|"), min_size=1).map(str.strip).filter(bool)


@pytest.mark.parametrize("name", STYLES)
@given(reasoning=lines, text=lines)
def test_what_a_style_writes_it_reads_back(name, reasoning, text):
    style = make("styles", name)
    split = style.split(style.answer(completion(reasoning, text)))
    assert split.text == text
    assert split.reasoning == ("" if name == "answer_only" else reasoning)


@pytest.mark.parametrize("name", STYLES)
@given(output=st.text())
def test_any_output_can_be_split(name, output):
    assert make("styles", name).split(output) == make("styles", name).split(output)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("think", "<think>\n48 + 24 = 72, or was it"),
        ("thought_solution", "<|begin_of_thought|>\n\n48 + 24 = 72, or was it"),
    ],
)
def test_an_unfinished_thought_is_no_answer(name, output):
    assert make("styles", name).split(output).text == ""


@pytest.mark.parametrize("name", STYLES)
def test_training_and_evaluation_ask_the_same(name):
    style = make("styles", name)
    trace = Trace(problem=PROBLEM, completion=completion("r", "t"))
    assert conversation(style, trace).prompt == style.prompt(PROBLEM)
    assert style.prompt(PROBLEM)[-1].content == PROBLEM.question


def test_thought_solution_asks_under_the_long_system_prompt_and_others_under_none():
    first = {name: make("styles", name).prompt(PROBLEM)[0] for name in STYLES}
    assert first.pop("thought_solution").content == SYSTEM
    assert all(message.role == "user" for message in first.values())
    assert SYSTEM.startswith("Your role as an assistant") and SYSTEM.endswith("the above guidelines:")
    assert r"'\n\n'" in SYSTEM, "the steps are separated by the four characters, not by line breaks"
