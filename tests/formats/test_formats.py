"""One test over all formats: each round-trips, and names what is wrong with a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.records import Conversation, Message
from cotdistill.registry import kinds, make

FORMATS = sorted(kinds("formats"))
text = st.text(min_size=1)


def conversation(*contents, system=None):
    roles = ["user", "assistant"] * (len(contents) // 2)
    messages = [Message(role=r, content=c) for r, c in zip(roles, contents, strict=True)]
    if system:
        messages.insert(0, Message(role="system", content=system))
    return Conversation(id="7", messages=tuple(messages))


@pytest.mark.parametrize("name", FORMATS)
@given(turns=st.lists(st.tuples(text, text), min_size=1, max_size=3), system=st.none() | text)
def test_a_conversation_comes_back_as_written(name, turns, system):
    layout = make("formats", name)
    whole = conversation(*[t for pair in turns for t in pair], system=system)
    assert layout.decode(layout.encode(whole), "7") == whole


def test_the_layouts_look_as_their_tools_expect():
    whole = conversation("q", "a", system="s")
    assert make("formats", "sharegpt").encode(whole) == {
        "system": "s",
        "conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}],
    }
    assert make("formats", "openai").encode(whole) == {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "a"},
        ]
    }
    assert make("formats", "alpaca").encode(whole) == {"instruction": "q", "input": "", "output": "a", "system": "s"}


@pytest.mark.parametrize("pair", [("user", "assistant"), ("human", "gpt")])
def test_sharegpt_reads_both_usual_pairs_of_roles(pair):
    row = {"conversations": [{"from": pair[0], "value": "q"}, {"from": pair[1], "value": "a"}]}
    assert make("formats", "sharegpt").decode(row, "7") == conversation("q", "a")


BAD = [
    ("sharegpt", {"messages": []}, "conversations: is missing; keys here: messages"),
    ("sharegpt", {"conversations": "text"}, "conversations: expected a list, found str"),
    ("sharegpt", {"conversations": []}, "expected user and assistant in turn"),
    ("sharegpt", {"conversations": ["q"]}, r"conversations\[0\]: expected an object"),
    ("sharegpt", {"conversations": [{"from": "user"}]}, r"conversations\[0\]\.value: is missing"),
    ("sharegpt", {"conversations": [{"from": "user", "value": 3}]}, r"\[0\]\.value: expected text, found int"),
    ("sharegpt", {"conversations": [{"from": "bot", "value": "a"}]}, r"\[0\]\.from: expected one of .*found `bot`"),
    ("sharegpt", {"conversations": [{"from": "user", "value": "q"}]}, "ending with assistant"),
    ("sharegpt", {"conversations": [], "tools": "[]x"}, "tool descriptions"),
    ("openai", {"conversations": []}, "messages: is missing"),
    ("alpaca", {"instruction": "q"}, "output: is missing"),
    ("alpaca", {"instruction": "q", "output": None}, "output: expected text, found NoneType"),
    ("alpaca", {"instruction": "q", "output": "a", "history": [["x"]]}, r"history\[0\]: expected"),
]


@pytest.mark.parametrize(("name", "row", "message"), BAD)
def test_a_bad_row_names_key_expected_and_found(name, row, message):
    with pytest.raises(ValueError, match=message):
        make("formats", name).decode(row, "7")


def test_alpaca_joins_instruction_and_input_as_llama_factory_does():
    row = {"instruction": "Add.", "input": "1 1", "output": "2"}
    assert make("formats", "alpaca").decode(row, "7").messages[0].content == "Add.\n1 1"
