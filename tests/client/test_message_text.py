import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.client.message_text import message_text

THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "48 / 2"}]}


@pytest.mark.parametrize(
    ("message", "thinking", "text"),
    [
        ({"content": "72", "reasoning_content": "a"}, "a", "72"),
        ({"content": "72", "reasoning": {"content": "a"}}, "a", "72"),
        ({"content": "72", "reasoning_details": [{"type": "reasoning.text", "text": "a"}, {"text": "b"}]}, "ab", "72"),
        ({"content": "72", "reasoning_details": [{"type": "reasoning.summary", "summary": "a"}]}, "a", "72"),
        ({"content": "72", "reasoning": "a", "reasoning_details": [{"text": "a"}]}, "a", "72"),
        ({"content": [THOUGHT, {"type": "text", "text": "72"}]}, "48 / 2", "72"),
        ({"content": [THOUGHT, THOUGHT, "7", "2"]}, "48 / 248 / 2", "72"),
        ({"content": [{"type": "thinking", "thinking": "a"}, [["72"]]]}, "a", "72"),
        ({"content": [{"type": "reasoning", "text": "a"}, {"type": "output_text", "text": "72"}]}, "a", "72"),
        ({"content": None, "reasoning": None}, "", ""),
        ({"content": 72, "reasoning": True}, "", ""),
        ({"content": [7, None, {}, {"text": 3}], "reasoning": [[]]}, "", ""),
        ({"content": "\ud83d\ude00 \ud83d"}, "", "😀 �"),
    ],
)
def test_thinking_and_text_are_found_in_every_shape(message, thinking, text):
    assert message_text(message) == (thinking, text)


def test_depth_is_no_matter():
    content = "72"
    for _ in range(100_000):
        content = [content]
    assert message_text({"content": content}) == ("", "72")


NAMES = st.sampled_from(["content", "reasoning", "reasoning_content", "reasoning_details", "type", "text", "thinking"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(NAMES, x)
)


@given(st.dictionaries(NAMES, JSON))
def test_whatever_a_message_holds_two_texts_come_out(message):
    for text in message_text(message):
        text.encode()
