import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.records import Completion, CompletionStatus, Usage
from cotdistill.sampling.completions import read_completion
from cotdistill.storage.ledger import LedgerEntry


def read(response: object) -> Completion:
    entry = LedgerEntry(key="a" * 64, index=3, problem_id="p1", response=response, latency_s=2.5, attempts=2)
    return read_completion(entry)


def said(finish_reason: str | None = "stop", **message: object) -> Completion:
    return read({"choices": [{"message": message, "finish_reason": finish_reason}]})


@pytest.mark.parametrize(
    ("message", "reasoning", "text", "status"),
    [
        ({"content": "72", "reasoning_content": "48 + 24"}, "48 + 24", "72", "ok"),
        ({"content": "72", "reasoning": "48 + 24"}, "48 + 24", "72", "ok"),
        ({"content": "72", "reasoning": "b", "reasoning_content": "a"}, "a", "72", "ok"),
        ({"content": "72", "reasoning_content": None, "reasoning": "b"}, "b", "72", "ok"),
        ({"content": "<think>\n48 + 24\n</think>\n\n72"}, "48 + 24", "72", "ok"),
        ({"content": "\n<think>a</think>72"}, "a", "72", "ok"),
        ({"content": "48 + 24\n</think>\n72"}, "48 + 24", "72", "ok"),
        ({"content": "Sure. <think>a</think> 72"}, "a", "Sure.  72", "ok"),
        ({"content": "<think>a</think>72</think>"}, "a", "72</think>", "ok"),
        ({"content": "72", "reasoning_content": ""}, "", "72", "ok"),
        ({"content": "72"}, "", "72", "ok"),
        ({"content": "The tag <think> opens a thought."}, "", "The tag <think> opens a thought.", "ok"),
        ({"content": "<b>", "reasoning_content": "a <think> b </think> c"}, "a <think> b </think> c", "<b>", "ok"),
        ({"content": "<think>\n\n</think>\n\n72"}, "", "72", "empty_reasoning"),
        ({"content": "</think>72"}, "", "72", "empty_reasoning"),
        ({"content": "72", "reasoning_content": "\n\n"}, "", "72", "empty_reasoning"),
        ({"content": "<think>a"}, "a", "", "empty_answer"),
        ({"content": "<think>a</think>\n"}, "a", "", "empty_answer"),
        ({"content": "", "reasoning_content": "a"}, "a", "", "empty_answer"),
        ({"content": None, "reasoning_content": "a"}, "a", "", "empty_answer"),
        ({"content": "<think>\n\n</think>"}, "", "", "empty_answer"),
        ({}, "", "", "empty_answer"),
        ({"content": None, "refusal": "I cannot."}, "", "", "refusal"),
        ({"content": [{"type": "text", "text": "7"}, {"type": "text", "text": "2"}]}, "", "72", "ok"),
        ({"content": "a \ud83d\ude00 b \ud83d c"}, "", "a 😀 b � c", "ok"),
    ],
)
def test_thinking_is_found_wherever_it_is(
    message: dict[str, object], reasoning: str, text: str, status: CompletionStatus
) -> None:
    completion = said(**message)
    assert (completion.reasoning, completion.text, completion.status) == (reasoning, text, status)


@pytest.mark.parametrize(
    ("finish_reason", "message", "status"),
    [
        ("length", {"content": "72", "reasoning_content": "a"}, "truncated"),
        ("length", {"content": "<think>a"}, "truncated"),
        ("content_filter", {"content": "7"}, "content_filter"),
        ("content_filter", {"content": "", "refusal": "no"}, "refusal"),
        ("length", {"content": "", "refusal": "no"}, "refusal"),
        (None, {"content": "72"}, "ok"),
    ],
)
def test_the_server_says_how_an_answer_ended(
    finish_reason: str | None, message: dict[str, object], status: CompletionStatus
) -> None:
    completion = said(finish_reason, **message)
    assert completion.status == status
    assert completion.finish_reason == (finish_reason or "")


def test_what_was_measured_and_counted_comes_along() -> None:
    message = {"content": "72", "reasoning_content": "a"}
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
    response = {"model": "r1", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
    assert read(response) == Completion(
        key="a" * 64,
        index=3,
        text="72",
        reasoning="a",
        model="r1",
        usage=Usage(prompt_tokens=20, completion_tokens=9),
        latency_s=2.5,
        attempts=2,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "text", "usage", "prompt_tokens", "finish_reason"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["choices", "usage", "model"]), JSON))
def test_no_response_is_too_strange_to_be_read(response: dict[str, object]) -> None:
    read(response).model_dump_json()


def test_half_a_character_in_a_stored_error_can_be_written_in_a_row():
    entry = LedgerEntry(key="a" * 64, index=0, problem_id="p", response={}, attempt_errors=("HTTP 500: \ud83d",))
    assert "HTTP 500: \ufffd" in read_completion(entry).model_dump_json()


def test_streamed_reasoning_in_parts_and_an_answer_in_texts_are_told_apart():
    parts = [[{"type": "thinking", "thinking": [{"type": "text", "text": word}]}] for word in ("48 ", "+ 24")]
    completion = said(content=[*(part for parts_ in parts for part in parts_), "7", "2"])
    assert (completion.reasoning, completion.text, completion.status) == ("48 + 24", "72", "ok")
