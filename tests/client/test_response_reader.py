"""Against real sockets: what makes an answer complete, and which clock ends one that is not."""

import time

import pytest

from cotdistill.client.response_reader import Timeouts
from cotdistill.client.retries import NoAnswer
from tests.support.asking import WHOLE_MESSAGE, ask, message
from tests.support.fault_server import (
    DONE,
    EVENTS,
    FINISH,
    HANG,
    JSON,
    RESET,
    USAGE,
    FaultServer,
    Script,
    delta,
    event,
    pieces,
    spread,
    status,
    streamed,
    whole,
    words,
)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param((FINISH, USAGE, DONE, DONE, DONE), id="[DONE] twice"),
        pytest.param((FINISH, USAGE), id="no [DONE]"),
        pytest.param((FINISH, USAGE[:-1]), id="no last blank line"),
        pytest.param((FINISH, USAGE, DONE, RESET), id="reset after [DONE]"),
        pytest.param((FINISH, USAGE, RESET), id="reset before [DONE]"),
        pytest.param((FINISH, USAGE, DONE, HANG), id="silence after [DONE]"),
        pytest.param((FINISH, USAGE, b"data: {garbage\n\n"), id="garbage after the end"),
        pytest.param((FINISH + USAGE + b"data: {garbage\n\n",), id="garbage with the end"),
        pytest.param((FINISH, USAGE, event(error={"message": "late", "code": 401})), id="error after the end"),
    ],
)
def test_a_complete_answer_is_kept_whatever_follows_it(tail: Script) -> None:
    with FaultServer({0: (EVENTS, *words(), *tail)}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.response["usage"]["completion_tokens"] == 9
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_borders_of_packets_do_not_matter(size: int) -> None:
    body = b": hello\r\n\r\n" + streamed().replace(b"\n", b"\r\n")
    with FaultServer({0: (EVENTS, *pieces(body, size))}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == 1


def test_a_server_that_does_not_stream_is_understood() -> None:
    with FaultServer({0: (JSON, b"\n\n", whole())}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.response["object"] == "chat.completion"


def test_streamed_and_whole_answers_have_one_shape() -> None:
    with FaultServer() as server:
        [stream], [whole_answer] = ask(server), ask(server, stream=False)
    assert stream.response == whole_answer.response
    assert stream.first_content_s is not None
    assert 0 < stream.first_content_s <= stream.latency_s


KEEP_ALIVES = spread([b": keep-alive\n\n", b"\n", delta(content=""), event(choices=[])] * 20, 0.02)


@pytest.mark.parametrize(
    ("fault", "limits", "clock"),
    [
        pytest.param((HANG,), {"first_content_s": 0.2}, "no content for 0.2 s", id="silence"),
        pytest.param((EVENTS, HANG), {"first_content_s": 0.2}, "no content for 0.2 s", id="a head alone"),
        pytest.param((EVENTS, *KEEP_ALIVES), {"first_content_s": 0.2}, "no content for 0.2 s", id="keep-alives"),
        pytest.param((EVENTS, *words(), HANG), {"gap_s": 0.2}, "no further content for 0.2 s", id="it stops"),
        pytest.param(
            (EVENTS, *words(), *KEEP_ALIVES), {"gap_s": 0.2}, "no further content for 0.2 s", id="keep-alives then"
        ),
        pytest.param(
            (EVENTS, *spread(words() * 9, 0.02)), {"total_s": 0.2}, "not complete after 0.2 s", id="a slow answer"
        ),
        pytest.param((status(500)[:-3], HANG), {"first_content_s": 0.2}, "no content for 0.2 s", id="slow error"),
    ],
)
def test_each_clock_ends_what_it_watches(fault: Script, limits: dict[str, float], clock: str) -> None:
    with FaultServer({0: fault}) as server:
        started = time.monotonic()
        [error] = ask(server, timeouts=Timeouts(**limits), max_attempts=1)
    assert isinstance(error, NoAnswer)
    assert str(error) == f"exhausted: {clock} (1 attempts)"
    assert time.monotonic() - started < 20, "another clock, which is slower, ended it"


def test_content_resets_the_gap_clock_and_ends_the_first() -> None:
    script = (EVENTS, *spread([*words(), FINISH, USAGE, DONE], 0.05))
    with FaultServer({0: script}) as server:
        [answer] = ask(server, timeouts=Timeouts(first_content_s=0.4, gap_s=0.4))
    assert message(answer) == WHOLE_MESSAGE
    assert answer.latency_s > 0.4


def test_the_total_clock_watches_an_answer_that_is_not_streamed() -> None:
    with FaultServer({0: (HANG,)}) as server:
        [error] = ask(server, stream=False, timeouts=Timeouts(total_s=0.2, first_content_s=0.1), max_attempts=1)
    assert str(error) == "exhausted: not complete after 0.2 s (1 attempts)"


def said_with(finish_reason: str | None, pieces: int = 8, **fields: str) -> list[bytes]:
    return [delta(finish_reason=finish_reason, content=f"{n} ", **fields) for n in range(pieces)]


@pytest.mark.parametrize("reason", ["", "null"])
def test_a_finish_reason_that_says_nothing_ends_nothing(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr("cotdistill.client.response_reader.TAIL_S", 0.1)
    script = (EVENTS, *spread([*said_with(reason), FINISH, USAGE, DONE], 0.1))
    with FaultServer({0: script}) as server:
        [answer] = ask(server)
    assert message(answer)["content"] == "0 1 2 3 4 5 6 7 "
    assert answer.response["choices"][0]["finish_reason"] == "stop"
    assert len(server.requests) == 1


@pytest.mark.parametrize("reason", ["", "null"])
def test_a_stream_that_never_says_how_it_ended_is_no_answer(reason: str) -> None:
    with FaultServer({0: (EVENTS, *said_with(reason), DONE)}) as server:
        [answer] = ask(server)
    assert answer.errors == ("the stream ended before the answer (no finish_reason)",)
    assert message(answer) == WHOLE_MESSAGE


def test_content_after_a_finish_reason_waits_for_the_next_piece_not_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cotdistill.client.response_reader.TAIL_S", 0.3)
    script = (EVENTS, *spread([*said_with("stop"), USAGE, DONE], 0.1))
    with FaultServer({0: script}) as server:
        [answer] = ask(server)
    assert message(answer)["content"] == "0 1 2 3 4 5 6 7 "
    assert answer.response["usage"]["completion_tokens"] == 9


def test_an_answer_that_breaks_where_each_piece_says_it_is_the_last_is_asked_again() -> None:
    with FaultServer({0: (EVENTS, *said_with("stop"), RESET)}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == 2


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "Application/JSON", "x", ""])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("body", [whole(), b"\n\n" + whole(), streamed(), b": hi\n\n" + streamed()])
def test_the_first_byte_says_what_a_body_is(content_type: str, bom: bytes, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode()
    with FaultServer({0: (head, *pieces(bom + body, 100))}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert len(server.requests) == 1


def test_a_stream_that_is_named_json_is_a_stream() -> None:
    with FaultServer({0: (JSON, streamed())}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == 1
