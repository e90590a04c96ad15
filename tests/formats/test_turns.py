"""Thinking that stands apart in a turn is read alike as a conversation and as a trace; earlier turns are kept."""

import pytest

from cotdistill.registry import make

ASKED = {"role": "user", "content": "q"}
WRITTEN = "<think>\nr\n</think>\n\na"

ANSWERS = [
    {"reasoning_content": "r", "content": "a"},
    {"reasoning": "r", "content": "a"},
    {"thinking": "r", "content": "a"},
    {"reasoning": {"content": "r"}, "content": "a"},
    {"reasoning_details": [{"type": "reasoning.text", "text": "r"}], "content": "a"},
    {"reasoning": "r", "reasoning_content": "r\n", "content": "a"},
    {"content": [{"type": "thinking", "thinking": "r", "signature": "x"}, {"type": "text", "text": "a"}]},
    {"content": [{"type": "reasoning", "text": "r"}, "a"]},
    {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "r"}]},
            {"type": "output_text", "text": "a"},
        ]
    },
    {"reasoning_content": "r", "content": WRITTEN},
    {"content": WRITTEN},
]


def row(*answers):
    turns = [turn for answer in answers for turn in (ASKED, {"role": "assistant", **answer})]
    return {"messages": turns}


@pytest.mark.parametrize("answer", ANSWERS)
def test_thinking_is_found_in_every_shape_as_a_conversation_and_as_a_trace(answer):
    (conversation,) = make("formats", "openai").read(row(answer), "0")
    assert [message.content for message in conversation.messages] == ["q", WRITTEN]
    (trace,) = make("formats", "traces").read(row(answer), "0")
    assert (trace.problem.question, trace.completion.reasoning, trace.completion.text) == ("q", "r", "a")
    assert trace.completion.status == "ok"


def test_sharegpt_reads_thinking_apart_too():
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a", "reasoning": "r"}]
    (conversation,) = make("formats", "sharegpt").read({"conversations": turns}, "0")
    assert conversation.messages[-1].content == WRITTEN


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"reasoning": "r", "thinking": "s", "content": "a"}, r"messages\[1\]\.thinking: expected the one rationale"),
        ({"reasoning": "s", "content": WRITTEN}, r"messages\[1\]\.content: expected no rationale in tags beside"),
        ({"content": [{"type": "image_url", "image_url": "x"}]}, r"messages\[1\]\.content\[0\]: .*type `image_url`"),
        (
            {"content": [{"type": "text"}]},
            r"messages\[1\]\.content\[0\]: expected a part with text, found the keys type",
        ),
        ({"content": "a", "tool_calls": [{"id": 1}]}, r"messages\[1\]\.tool_calls: calls of tools"),
        ({"content": "a", "reasoning": 7}, r"messages\[1\]\.reasoning: expected text, found int"),
        ({"content": None, "reasoning": "r"}, r"messages\[1\]\.content: expected text, found nothing"),
        ({"reasoning": "r"}, r"messages\[1\]\.content: is missing"),
    ],
)
@pytest.mark.parametrize("layout", ["openai", "traces"])
def test_what_cannot_be_read_is_named(layout, answer, message):
    with pytest.raises(ValueError, match=message):
        make("formats", layout).read(row(answer), "0")


def test_thinking_of_a_user_is_refused():
    turns = [
        {"role": "user", "content": [{"type": "thinking", "thinking": "r"}]},
        {"role": "assistant", "content": "a"},
    ]
    with pytest.raises(ValueError, match=r"messages\[0\]\.content: expected no thinking but in answers"):
        make("formats", "openai").read({"messages": turns}, "0")


SEVERAL = {
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q1"},
        {"role": "assistant", "content": "a1", "reasoning_content": "r1"},
        *row({"content": "a", "reasoning_content": "r"})["messages"],
    ]
}


def test_a_trace_keeps_its_earlier_turns_and_its_system_prompt_before_the_question():
    (trace,) = make("formats", "traces").read(SEVERAL, "0")
    assert [(m.role, m.content) for m in trace.problem.context] == [
        ("system", "s"),
        ("user", "q1"),
        ("assistant", "<think>\nr1\n</think>\n\na1"),
    ]
    assert (trace.problem.question, trace.completion.text) == ("q", "a")


def test_the_same_words_after_other_turns_are_another_problem():
    (one,) = make("formats", "traces").read(SEVERAL, "0")
    (other,) = make("formats", "traces").read(row({"content": "a"}), "0")
    assert one.problem.id != other.problem.id


@pytest.mark.parametrize("key", ["system", "system_prompt"])
def test_a_system_prompt_beside_question_or_turns_stays_in_the_prompt(key):
    for columns in ({"question": "q", "answer": "a"}, row({"content": "a"})):
        (trace,) = make("formats", "traces").read({key: "s", **columns}, "0")
        assert [m.content for m in trace.problem.context] == ["s"]
    (named,) = make("formats", "traces", system="role").read({"role": "s", "question": "q", "answer": "a"}, "0")
    assert [m.content for m in named.problem.context] == ["s"]


@pytest.mark.parametrize("layout", ["openai", "sharegpt", "traces"])
def test_two_system_prompts_are_refused(layout):
    options = {"messages": "messages", "role_tag": "role", "content_tag": "content"} if layout != "traces" else {}
    with pytest.raises(ValueError, match="is a system prompt too, and only one is read"):
        make("formats", layout, **options).read({**SEVERAL, "system": "other"}, "0")


def test_a_system_prompt_beside_openai_turns_is_read():
    (conversation,) = make("formats", "openai").read({**row({"content": "a"}), "system": "s"}, "0")
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<think>r</think><answer>a</answer>", "a"),
        ("<think>r</think>\n<ANSWER>\na\n</ANSWER>\n", "a"),
        ("<think>r</think><answer>a", "a"),
        ("<think>r</think>So <answer>a</answer>!", "So <answer>a</answer>!"),
        ("<think>r</think><answer>a</answer><answer>b</answer>", "<answer>a</answer><answer>b</answer>"),
    ],
)
def test_answer_tags_are_read_where_nothing_stands_beside_them(content, text):
    for columns in ({"question": "q", "answer": content}, {"question": "q", "generations": [content]}):
        (trace,) = make("formats", "traces").read(columns, "0")
        assert (trace.completion.reasoning, trace.completion.text) == ("r", text)


@pytest.mark.parametrize("turns", [[{"role": ["user"], "content": "q"}, ASKED], [ASKED, "a"], "text", [ASKED]])
def test_turns_that_are_none_are_refused(turns):
    with pytest.raises(ValueError, match="messages"):
        make("formats", "traces").read({"messages": turns}, "0")
