import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.client.sse import MAX_EVENT_BYTES, ChunkAccumulator, SSEDecoder
from tests.support.fault_server import DONE, FINISH, USAGE, delta, streamed, words


def events(stream: bytes, cuts: list[int]) -> list[bytes]:
    reader, found = SSEDecoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])
    return found + reader.close()


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\r\n\r\ndata:  b\r\n\r\n", [b"a", b" b"]),
        (b": keep-alive\n\n\n\ndata: a\n\n", [b"a"]),
        (b"event: delta\nid: 7\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"data: {\ndata: }\n\n", [b"{\n}"]),
        (b"data: a", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"data\n\n", []),
        (b"", []),
    ],
)
def test_events_are_cut_as_the_standard_says(stream: bytes, data: list[bytes]) -> None:
    assert events(stream, []) == data


@given(st.lists(st.integers(0, len(streamed())), max_size=40), st.booleans())
def test_where_the_chunks_are_cut_does_not_matter(cuts: list[int], has_carriage_returns: bool) -> None:
    stream = streamed()
    whole = events(stream, [])
    if has_carriage_returns:
        stream = stream.replace(b"\n", b"\r\n")
    assert events(stream, sorted(cuts)) == whole
    assert whole[-1] == b"[DONE]"


def test_a_line_without_end_is_refused() -> None:
    reader = SSEDecoder()
    with pytest.raises(ValueError, match="more than"):
        for _ in range(MAX_EVENT_BYTES // 2**20 + 1):
            reader.feed(b"x" * 2**20)


def merged(*parts: bytes) -> ChunkAccumulator:
    merge = ChunkAccumulator()
    for data in events(b"".join(parts), []):
        if data != b"[DONE]":
            merge.add(json.loads(data))
    return merge


def test_an_answer_is_finished_with_its_finish_reason() -> None:
    assert not merged().is_finished
    assert not merged(USAGE, DONE).is_finished
    assert not merged(*words()).is_finished
    assert merged(*words(), FINISH).is_finished


def test_pieces_are_joined_and_other_fields_keep_their_last_value() -> None:
    merge = ChunkAccumulator()
    chunks = [
        {"model": "r1", "system_fingerprint": None, "choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": "a"}, "logprobs": {"content": [{"token": "a"}]}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": "b", "content": None}, "logprobs": None}]},
        {"choices": [{"index": 0, "delta": {"content": "72"}, "logprobs": {"content": [{"token": "72"}]}}]},
        {"system_fingerprint": "fp", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": None, "usage": {"completion_tokens": 3}},
    ]
    assert [merge.add(chunk) for chunk in chunks] == [False, True, True, True, False, False]
    assert merge.response() == {
        "model": "r1",
        "object": "chat.completion",
        "system_fingerprint": "fp",
        "usage": {"completion_tokens": 3},
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "reasoning": "ab", "content": "72"},
                "logprobs": {"content": [{"token": "a"}, {"token": "72"}]},
            }
        ],
    }


def test_a_value_that_comes_back_is_the_last_one() -> None:
    merge = ChunkAccumulator()
    for model, place in (("a", 1), ("b", 2), ("a", 1), ("a", None)):
        merge.add({"model": model, "choices": [{"index": 0, "place": place, "delta": {"content": model}}]})
    response = merge.response()
    assert response["model"] == "a"
    assert response["choices"][0]["place"] == 1
    assert response["choices"][0]["message"]["content"] == "abaa"


def test_two_choices_whose_parts_alternate_are_kept_apart() -> None:
    merge = ChunkAccumulator()
    for number, text, finish_reason in ((0, "a", None), (1, "x", None), (0, "b", "stop"), (1, "y", None)):
        part = {"index": number, "delta": {"content": text}, "finish_reason": finish_reason}
        merge.add({"model": "r1", "choices": [part]})
    assert not merge.is_finished
    merge.add({"model": "r1", "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]})
    assert merge.is_finished
    found = [(choice["message"]["content"], choice["finish_reason"]) for choice in merge.response()["choices"]]
    assert found == [("ab", "stop"), ("xy", "length")]
    merge.add({"model": "r1", "choices": [{"index": 2, "delta": {"content": "late"}}]})
    assert not merge.is_finished


def test_a_delta_without_text_is_no_content() -> None:
    merge = merged(delta(role="assistant", content="", reasoning_content=None))
    assert merge.response()["choices"][0]["message"] == {"role": "assistant", "content": ""}


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": 5},
        {"choices": {}},
        {"choices": ["x"]},
        {"choices": [{"index": "x"}]},
        {"choices": [{"index": [0]}]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"logprobs": "x"}]},
        {"choices": [{"logprobs": {"content": 5}}]},
    ],
)
def test_a_chunk_of_another_shape_is_refused(chunk: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="instead of"):
        ChunkAccumulator().add(chunk)
