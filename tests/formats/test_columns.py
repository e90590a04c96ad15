"""Rows are read from usual columns, from lists of turns that end with a question, and from answers beside them."""

import pytest

from cotdistill.data.noted_row import NotedRow
from cotdistill.errors import UserError
from cotdistill.registry import make

ASKED = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
ANSWERED = [{"role": "assistant", "content": "a"}]


def texts(messages):
    return [(message.role, message.content) for message in messages]


def test_a_prompt_of_turns_is_the_question_and_what_stands_before_it():
    row = {"prompt": ASKED, "reward_model": {"ground_truth": "1"}}
    [problem] = make("formats", "problems").read(row, "0")
    assert (problem.question, problem.gold, texts(problem.context)) == ("q", "1", [("system", "s")])
    earlier = [*ASKED, *ANSWERED, {"role": "user", "content": "and?"}]
    [problem] = make("formats", "problems", question="turns").read({"turns": earlier}, "0")
    assert (problem.question, len(problem.context)) == ("and?", 3)


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], r"prompt: expected a list of at least two turns"),
        ([{"role": "user", "content": " "}], r"prompt\[0\]\.content: expected text, found nothing"),
        ([ASKED[1], ASKED[1]], "prompt: expected user and assistant in turn"),
        ([{"role": "robot", "content": "q"}, ASKED[1]], r"prompt\[0\]: expected a turn of user"),
        (["q"], r"prompt: expected a list of at least two turns|prompt\[0\]: expected an object"),
    ],
)
def test_turns_that_ask_nothing_are_named(turns, message):
    with pytest.raises(ValueError, match=message):
        make("formats", "problems").read({"prompt": turns}, "0")


def test_a_rationale_and_an_answer_beside_the_turns_are_a_trace():
    row = {"messages": ASKED, "reasoning": "r", "answer": "a"}
    [trace] = make("formats", "traces").read(row, "0")
    assert (trace.problem.question, trace.completion.reasoning, trace.completion.text) == ("q", "r", "a")
    assert texts(trace.problem.context) == [("system", "s")]


def test_several_columns_may_hold_an_answer_each():
    layout = make("formats", "traces", generations=("one", "two"), gold="final_answer")
    traces = layout.read({"question": "q", "final_answer": "1", "one": "r</think>a", "two": "r</think>b"}, "0")
    assert [(trace.completion.index, trace.completion.text) for trace in traces] == [(0, "a"), (1, "b")]
    with pytest.raises(ValueError, match="two: is missing"):
        layout.read({"question": "q", "final_answer": "1", "one": "a"}, "0")


def test_a_column_inside_of_others_is_named_by_its_path():
    info = {"info": {"reference_answer": "1", "source": "school"}}
    row = NotedRow({"messages": [{**ASKED[1], **info}, {**ANSWERED[0], "info": None}]})
    [trace] = make("formats", "traces", gold="messages.0.info.reference_answer").read(row, "0")
    assert (trace.problem.gold, trace.completion.text) == ("1", "a")
    assert list(row.unread()) == ["messages[].info.source"]
    several = {"question": "q", "responses": [{"model": "m", "response": "a"}, {"model": "m", "response": "b"}]}
    layout = make("formats", "traces", generations=("responses.0.response", "responses.1.response"))
    assert [trace.completion.text for trace in layout.read(several, "0")] == ["a", "b"]
    with pytest.raises(ValueError, match=r"responses\.1\.response: is missing; keys here: question, responses"):
        layout.read({**several, "responses": several["responses"][:1]}, "0")


@pytest.mark.parametrize("name", ["openai", "sharegpt"])
@pytest.mark.parametrize("said", ["a", ANSWERED])
def test_an_answer_beside_the_turns_ends_the_conversation(name, said):
    tags = {} if name == "openai" else {"role_tag": "role", "content_tag": "content"}
    layout = make("formats", name, messages="prompt", response="completion", **tags)
    [conversation] = layout.read({"prompt": ASKED, "completion": said}, "0")
    assert texts(conversation.messages) == [("system", "s"), ("user", "q"), ("assistant", "a")]
    with pytest.raises(ValueError, match="completion: is missing"):
        layout.read({"prompt": ASKED}, "0")
    with pytest.raises(UserError, match="`messages` and `response` have one key, `x`"):
        make("formats", name, messages="x", response="x").check()


@pytest.mark.parametrize(
    ("formatting", "row", "columns"),
    [
        (
            "problems",
            {"Question": "q", "final_answer": "1", "url": "u"},
            {"question": "Question", "gold": "final_answer"},
        ),
        ("traces", {"problem": "q", "reasoning": "r", "answer": "a", "gold": None}, {"question": "problem"}),
        ("traces", {"problem": "q", "generations": ["a"]}, {"generations": "generations"}),
        ("traces", {"messages": [*ASKED, *ANSWERED]}, {"messages": "messages"}),
        ("alpaca", {"instruction": "q", "input": "", "output": "a"}, {"prompt": "instruction", "response": "output"}),
        ("openai", {"messages": [*ASKED, *ANSWERED], "tools": None}, {"messages": "messages"}),
    ],
)
def test_a_format_names_the_columns_that_it_reads(formatting, row, columns):
    layout, noted = make("formats", formatting), NotedRow(row)
    layout.read(noted, "0")
    found = layout.columns(row)
    assert columns.items() <= found.items()
    assert not set(found.values()) & set(noted.unread())
    assert set(noted.unread()) == set(row) - set(found.values()) - {"gold", "input", "tools"}
