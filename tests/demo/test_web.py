"""The embedded teacher's HTTP, byte by byte: one connection for many answers, one write an event, clients that leave."""

import json
import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from cotdistill.demo.problems import make_problems
from cotdistill.demo.protocol import MODEL
from cotdistill.demo.teacher import STOP_TIMEOUT_S, serving
from cotdistill.demo.web import MAX_BODY_BYTES
from tests.support.patience import HANGS_S

PATH, AUTHORIZATION = "/v1/chat/completions", {"Authorization": "Bearer demo"}
BODY = {"model": MODEL, "messages": [{"role": "user", "content": next(make_problems(1, seed=1)).question}]}
STREAMED = {**BODY, "stream": True}


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with serving() as url:
        yield address_of(url)


def address_of(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(re.findall(r":(\d+)/", url)[0])


def post(connection: HTTPConnection, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", PATH, body, AUTHORIZATION)
    response = connection.getresponse()
    return response.status, response.read()


def raw(body: dict[str, Any]) -> bytes:
    """The bytes of a request."""
    data = json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def test_answers_streams_and_refusals_share_one_connection(address):
    connection = HTTPConnection(*address, timeout=HANGS_S)
    connection.connect()
    opened = connection.sock
    for body, status in ((BODY, 200), (STREAMED, 200), ({}, 400), (BODY, 200)):
        assert post(connection, json.dumps(body).encode())[0] == status
        assert connection.sock is opened
    connection.close()


@pytest.mark.parametrize(("size_bytes", "status"), [(MAX_BODY_BYTES, 400), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_above_the_limit_is_refused_in_json(address, size_bytes, status):
    connection = HTTPConnection(*address, timeout=HANGS_S)
    got, text = post(connection, b" " * size_bytes)
    connection.close()
    assert got == status
    assert json.loads(text)["error"]["code"] == "invalid_request"


def test_a_body_that_only_claims_to_be_compressed_is_a_bad_request(address):
    connection = HTTPConnection(*address, timeout=HANGS_S)
    connection.request("POST", PATH, b"abc", {**AUTHORIZATION, "Content-Encoding": "gzip"})
    response = connection.getresponse()
    assert response.status == 400
    assert json.load(response)["error"]["code"] == "invalid_request"
    connection.close()


@pytest.mark.parametrize("path", ["/v1/models?limit=1", "http://x/v1/models"])
def test_a_path_may_have_a_query_or_be_a_whole_url(address, path):
    connection = HTTPConnection(*address, timeout=HANGS_S)
    connection.request("GET", path, headers=AUTHORIZATION)
    assert json.load(connection.getresponse())["data"][0]["id"] == MODEL
    connection.close()


def test_every_event_of_a_stream_is_a_write_of_its_own(address):
    received = b""
    with socket.create_connection(address, timeout=HANGS_S) as connection:
        connection.sendall(raw(STREAMED))
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += connection.recv(65536)
    chunks = re.findall(rb"[0-9a-f]+\r\n((?:data: .*\n\n)+)\r\n", received)
    assert len(chunks) == received.count(b"data: ") > 5
    assert chunks[-1] == b"data: [DONE]\n\n"


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
def test_clients_that_go_away_leave_no_trace(capfd, latency_s):
    whole, streamed = raw(BODY), raw(STREAMED)
    with serving(latency_s=latency_s) as url:
        for sent in (b"", b"POST", whole[:-9], whole, streamed, streamed * 30):
            connection = socket.create_connection(address_of(url), timeout=HANGS_S)
            connection.sendall(sent)
            # No lingering: the server meets a reset while it reads or answers.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        started = time.monotonic()
        connection = HTTPConnection(*address_of(url), timeout=HANGS_S)
        assert post(connection, json.dumps(BODY).encode())[0] == 200
        assert time.monotonic() - started >= latency_s
        connection.close()
    assert capfd.readouterr() == ("", "")


def test_it_ends_at_once_whatever_is_open_or_under_way():
    with serving(latency_s=60) as url:
        busy = socket.create_connection(address_of(url), timeout=HANGS_S)
        busy.sendall(raw(STREAMED))
        idle = HTTPConnection(*address_of(url), timeout=HANGS_S)
        idle.request("GET", "/v1/models", headers=AUTHORIZATION)
        assert idle.getresponse().read()
        started = time.monotonic()
    assert time.monotonic() - started < STOP_TIMEOUT_S / 2, "it was not killed"
    assert busy.recv(1) == b""
    busy.close()
    idle.close()
