"""Against real sockets: whatever the server does, an answer is got once, or the reason is known."""

import asyncio
import email.utils
import gzip
import logging
import re
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from cotdistill.client import response_reader
from cotdistill.client.client import Answer, Client, EndpointOptions
from cotdistill.client.response_reader import Timeouts
from cotdistill.client.retries import NoAnswer
from cotdistill.errors import AccessRefused, TryAgainLater, UserError
from cotdistill.records import Failure
from tests.support.asking import BODY, KEY, WHOLE_MESSAGE, ask, message
from tests.support.fault_server import EVENTS, HANG, RESET, FaultServer, Script, kept_open, status, streamed, words
from tests.support.faults import CUT_ANSWERS, CUT_STREAMS, STATUSES
from tests.support.patience import HANGS_S
from tests.support.peak_memory import peak_growth


@pytest.mark.parametrize("fault", [pytest.param(f, id=n) for n, f in (CUT_STREAMS | CUT_ANSWERS | STATUSES).items()])
def test_a_passing_fault_costs_one_more_attempt(fault: Script) -> None:
    with FaultServer({0: fault}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == len(server.requests) == 2
    assert server.sent == [1]


@pytest.mark.parametrize("fault", [pytest.param(f, id=n) for n, f in (CUT_ANSWERS | STATUSES).items()])
def test_a_passing_fault_costs_one_more_attempt_without_streaming(fault: Script) -> None:
    with FaultServer({0: fault}) as server:
        [answer] = ask(server, stream=False)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == len(server.requests) == 2
    assert answer.first_content_s is None


@pytest.mark.parametrize("position", [0, 10, 19], ids=["first", "middle", "last"])
@pytest.mark.parametrize("fault", [(status(503),), (RESET,), (EVENTS, *words()[:2], RESET), (EVENTS,)])
def test_every_request_of_many_is_answered_once(fault: Script, position: int) -> None:
    with FaultServer({position: fault}) as server:
        answers = ask(server, times=20)
    assert [message(answer) for answer in answers] == [WHOLE_MESSAGE] * 20
    assert len(server.requests) == 21
    assert len(server.sent) == 20


@pytest.mark.parametrize("code", [400, 404, 405, 413, 422])
def test_a_refused_request_is_sent_once(code: int) -> None:
    with FaultServer({0: (status(code, '{"error": {"message": "too long"}}'),)}) as server:
        [error] = ask(server)
    assert isinstance(error, NoAnswer)
    assert str(error) == f"failed: HTTP {code}: too long"
    assert error.failure.kind == "failed"
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [401, 402, 403])
@pytest.mark.parametrize("place", ["status", "body"])
def test_a_refused_key_stops_the_run(code: int, place: str) -> None:
    said = f'{{"error": {{"message": "bad key {KEY}", "code": {code}}}}}'
    with FaultServer({0: (status(code if place == "status" else 200, said),)}) as server:
        [error] = ask(server)
    assert isinstance(error, AccessRefused)
    assert str(code) in str(error)
    assert "bad key [key]" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_nothing_is_sent_to_where_a_redirect_points(code: int) -> None:
    with FaultServer() as other:
        target = f"{other.base_url}/chat/completions?token=secret"
        with FaultServer({0: (status(code, "", location=target),)}) as server:
            [error] = ask(server)
    assert isinstance(error, NoAnswer)
    assert str(error).startswith(f"failed: HTTP {code}: a redirect to http://127.0.0.1/v1")
    assert "secret" not in str(error)
    assert (len(server.requests), len(other.requests)) == (1, 0)


def test_attempts_are_spent_and_counted() -> None:
    with FaultServer({number: (status(500, "<html>"),) for number in range(9)}) as server:
        [error] = ask(server, max_attempts=3)
    assert isinstance(error, NoAnswer)
    assert error.failure == Failure(kind="exhausted", reason="HTTP 500: an HTML page (3 attempts)")
    assert len(server.requests) == 3


def test_the_connect_clock_watches_a_server_that_does_not_accept() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        server = FaultServer(port=full.getsockname()[1])
        started = time.monotonic()
        [error] = ask(server, connect_timeout_s=0.2, max_outage_s=0.1)
        for filler in fillers:
            filler.close()
    assert isinstance(error, TryAgainLater)
    assert time.monotonic() - started < 20, "the clock that nobody set would take as long"


def test_an_endpoint_that_stays_down_stops_the_run_to_go_on_later() -> None:
    with FaultServer() as server:
        pass
    [error] = ask(server, max_outage_s=0.2)
    assert isinstance(error, TryAgainLater)
    assert error.where == f"127.0.0.1:{server.port}"


def test_an_endpoint_that_comes_back_is_noticed_and_no_attempt_is_counted() -> None:
    with FaultServer() as gone:
        pass
    server = FaultServer(port=gone.port)
    opener = threading.Timer(0.3, server.__enter__)
    opener.start()
    [answer] = ask(server, max_outage_s=20, max_attempts=1)
    server.__exit__()
    assert message(answer) == WHOLE_MESSAGE
    assert answer.attempts == 1


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_retry_after_is_waited_for(as_date: bool) -> None:
    value = email.utils.formatdate(time.time() + 2, usegmt=True) if as_date else "1"
    with FaultServer({0: (status(429, retry_after=value),)}) as server:
        started = time.monotonic()
        [answer] = ask(server, longest_wait_s=60.0)
    assert isinstance(answer, Answer)
    assert 0.9 < time.monotonic() - started < 60


def test_a_retry_after_of_a_day_is_not_waited_for() -> None:
    with FaultServer({0: (status(429, retry_after="86400"),)}) as server:
        [answer] = ask(server, longest_wait_s=0.1)
    assert isinstance(answer, Answer)


def test_connections_are_used_again() -> None:
    async def main(base_url: str) -> None:
        async with Client(EndpointOptions(base_url=base_url)) as client:
            for _ in range(5):
                await client.complete(BODY)

    with FaultServer() as server:
        asyncio.run(main(server.base_url))
    assert (len(server.sent), server.connections) == (5, 1)


@pytest.mark.parametrize("times", [300, pytest.param(1200, marks=pytest.mark.slow)])
def test_no_limit_on_connections_holds_requests_back(times: int) -> None:
    def when_all_are_there(request: object) -> Script:
        return (lambda: server.most_at_once == times, kept_open(streamed(), "text/event-stream"))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with FaultServer(answer=when_all_are_there) as server:
        answers = ask(server, times=times, timeouts=Timeouts(first_content_s=HANGS_S), max_attempts=1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(isinstance(answer, Answer) for answer in answers)


def test_the_key_is_in_the_request_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    echo = f'{{"error": {{"message": "key {KEY} is busy"}}}}'
    with caplog.at_level(logging.DEBUG), FaultServer({0: (status(500, echo),), 1: (RESET,)}) as server:
        [answer] = ask(server)
    assert isinstance(answer, Answer)
    assert all(f"authorization: bearer {KEY}" in request.head.lower() for request in server.requests)
    assert "key [key] is busy" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(EndpointOptions(base_url=server.base_url, api_key=KEY))


def test_the_environment_does_not_change_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "canary-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    with FaultServer() as server:
        [with_key], [without] = ask(server), ask(server, api_key=None)
    assert isinstance(with_key, Answer)
    assert isinstance(without, Answer)
    assert not any("canary-environment" in request.head for request in server.requests)


@pytest.mark.parametrize("use_proxy", [False, True])
def test_no_login_of_the_machine_is_sent_to_an_endpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, use_proxy: bool
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary-user password canary-environment\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer canary-environment")
    with FaultServer() as server:
        [with_key], [without] = (ask(server, api_key=key, use_proxy=use_proxy) for key in (KEY, None))
    assert isinstance(with_key, Answer)
    assert isinstance(without, Answer)
    assert [re.findall("(?i)authorization: (.*)\r", request.head) for request in server.requests] == [
        [f"Bearer {KEY}"],
        [],
    ]


def test_a_proxy_is_asked_only_where_the_recipe_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "inner.test")
    with FaultServer() as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:word@127.0.0.1:{proxy.port}")
        for host in ("outer.test", "inner.test"):
            [answer] = ask(proxy, base_url=f"http://{host}/v1", use_proxy=True)
            assert isinstance(answer, Answer) == (host == "outer.test")
        [answer] = ask(proxy, base_url="http://outer.test/v1")
    assert isinstance(answer, UserError)
    [request] = proxy.requests
    assert request.head.startswith("POST http://outer.test/v1/chat/completions ")
    assert f"authorization: bearer {KEY}" in request.head.lower()
    assert "proxy-authorization: basic " in request.head.lower()


def test_the_error_of_a_bomb_is_read_as_far_as_it_is_needed() -> None:
    body = gzip.compress(b'{"error": {"message": "no"}}' + b" " * (256 << 20))
    head = f"HTTP/1.1 500 X\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with peak_growth() as grown_kib, FaultServer({0: (head, body)}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.errors[0].startswith("HTTP 500")
    assert grown_kib() < 64 << 10


@pytest.mark.parametrize("is_packed", [True, False])
def test_an_answer_without_end_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch, is_packed: bool) -> None:
    monkeypatch.setattr(response_reader, "MAX_BODY_BYTES", 1 << 20)
    body = b'{"choices": [' + b" " * (32 << 20)
    packing = "Content-Encoding: gzip\r\n" if is_packed else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{packing}\r\n".encode()
    with FaultServer({0: (head, gzip.compress(body) if is_packed else body, HANG)}) as server:
        [answer] = ask(server)
    assert message(answer) == WHOLE_MESSAGE
    assert answer.errors == ("the answer is longer than 1 MiB",)


def test_an_error_without_end_is_read_as_far_as_it_is_needed() -> None:
    head = b"HTTP/1.1 400 X\r\nContent-Type: text/plain\r\n\r\n"
    with FaultServer({0: (head, b"too long " * 20_000, HANG)}) as server:
        [error] = ask(server)
    assert isinstance(error, NoAnswer)
    assert str(error).startswith("failed: HTTP 400: too long too long")


def test_fields_go_through_as_they_are_and_none_takes_one_away() -> None:
    async def main(base_url: str) -> None:
        async with Client(EndpointOptions(base_url=base_url)) as client:
            await client.complete({**BODY, "top_k": 5, "temperature": 0.6, "stream_options": None})

    with FaultServer() as server:
        asyncio.run(main(server.base_url))
        ask(server)
    assert server.requests[0].body == {**BODY, "stream": True, "top_k": 5, "temperature": 0.6}
    assert server.requests[1].body == {**BODY, "stream": True, "stream_options": {"include_usage": True}}


def test_answers_of_another_model_than_was_asked_are_counted_and_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    other = streamed().replace(b'"r1"', b'"gpt-4\\u001b[2Jo"')
    with (
        caplog.at_level(logging.WARNING, "cotdistill"),
        FaultServer({0: (EVENTS, other), 1: (EVENTS, other)}) as server,
    ):
        answers = ask(server, times=3)
    assert [message(answer) for answer in answers] == [WHOLE_MESSAGE] * 3
    first, last = caplog.messages
    assert first.endswith("answers where r1 was asked")
    assert last.startswith("2 answers are by the model gpt-4")


@pytest.mark.parametrize("name", ["r1", "deepseek/R1", "r1-2025-01-20", "/weights/r1/", ""])
def test_a_model_may_be_called_by_a_longer_name(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with FaultServer({0: (EVENTS, streamed().replace(b'"r1"', f'"{name}"'.encode()))}) as server:
        ask(server)
    assert not caplog.messages
