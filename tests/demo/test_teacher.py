"""The embedded teacher over real loopback sockets: the protocol, its errors, its slips and its end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest

from cotdistill.demo.problems import make_problems
from cotdistill.demo.protocol import MODEL
from cotdistill.demo.teacher import serve_forever, serving
from cotdistill.errors import UserError
from tests.support.patience import HANGS_S

PROBLEM = next(make_problems(1, seed=1))
BODY = {"model": MODEL, "messages": [{"role": "user", "content": PROBLEM.question}]}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(seed=3) as base_url:
        yield base_url


def post(url: str, body: Json | bytes, *, key: str = "demo", path: str = "/chat/completions") -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=HANGS_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def complete(url: str, body: Json) -> Json:
    status, text = post(url, body)
    assert status == 200, text
    return json.loads(text)


def events(url: str, body: Json) -> list[Json]:
    status, text = post(url, {**body, "stream": True})
    assert status == 200, text
    *found, done = text.strip().split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in found]


def address(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(re.findall(r":(\d+)/", url)[0])


def test_models_names_the_model(url):
    request = urllib.request.Request(f"{url}/models", headers={"Authorization": "Bearer demo"})
    with urllib.request.urlopen(request, timeout=HANGS_S) as response:
        assert [model["id"] for model in json.load(response)["data"]] == [MODEL]


def test_a_completion_thinks_answers_and_counts(url):
    answer = complete(url, BODY)
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert re.match(r"First \d+ [+-] |First \d+ (plus|minus) ", choice["message"]["reasoning_content"])
    assert re.search(r"answer is \d+\.$", choice["message"]["content"])
    usage = answer["usage"]
    assert usage["prompt_tokens"] == len(re.findall(r"\w+|[^\w\s]", PROBLEM.question))
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_stream_says_what_the_completion_says(url, include_usage):
    whole = complete(url, BODY)
    chunks = events(url, {**BODY, "stream_options": {"include_usage": include_usage}})
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    deltas = [choice["delta"] for choice in choices]
    message = whole["choices"][0]["message"]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == message["reasoning_content"]
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    kinds = [next(iter(delta)) for delta in deltas[1:-1]]
    assert kinds == sorted(kinds, reverse=True), "thinking comes before the answer"
    assert [chunk["usage"] for chunk in chunks if chunk.get("usage")] == ([whole["usage"]] if include_usage else [])


def test_the_same_request_gets_the_same_bytes_also_from_another_process(url):
    body = {**BODY, "seed": 5}
    first = post(url, body)
    with serving(seed=3) as other:
        assert post(url, body) == post(other, body) == first


def test_seeds_of_request_and_teacher_change_the_answer(url):
    def said(base_url: str) -> list[str]:
        return [complete(base_url, {**BODY, "seed": i})["choices"][0]["message"] for i in range(12)]

    with serving(seed=4) as other:
        mine, others = said(url), said(other)
    assert len({json.dumps(message) for message in mine}) > 1
    assert mine != others


def test_about_error_rate_of_the_answers_are_wrong_at_thirty_connections(url):
    asked = list(make_problems(1000, seed=9))

    def is_wrong(part: int) -> list[bool]:
        connection = HTTPConnection(*address(url), timeout=HANGS_S)
        wrong = []
        for problem in asked[part::30]:
            body = {"model": MODEL, "messages": [{"role": "user", "content": problem.question}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": "Bearer demo"})
            message = json.load(connection.getresponse())["choices"][0]["message"]
            wrong.append(re.findall(r"\d+", message["content"]) != [problem.gold])
        connection.close()
        return wrong

    with ThreadPoolExecutor(30) as pool:
        graded = [wrong for part in pool.map(is_wrong, range(30)) for wrong in part]
    assert len(graded) == 1000
    assert sum(graded) / len(graded) == pytest.approx(0.15, abs=0.04)


def test_max_tokens_cuts_the_answer_and_says_so(url):
    answer = complete(url, {**BODY, "max_tokens": 3})
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["message"]["content"] == ""
    assert len(answer["choices"][0]["message"]["reasoning_content"].split()) == 3
    assert answer["usage"]["completion_tokens"] == 3


def test_the_last_user_message_is_answered_also_in_parts_and_wrapped(url):
    wrapped = {"type": "text", "text": f"Think step by step: {PROBLEM.question} Thank you."}
    messages = [
        {"role": "system", "content": "You are a teacher."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": [wrapped]},
    ]
    assert re.search(r"\d", complete(url, {**BODY, "messages": messages})["choices"][0]["message"]["content"])


def test_without_a_problem_it_says_so_and_names_no_number(url):
    message = complete(url, {**BODY, "messages": [{"role": "user", "content": "What is 2 + 2?"}]})["choices"][0][
        "message"
    ]
    assert message["reasoning_content"] == ""
    assert "could not find" in message["content"]
    assert not re.search(r"\d", message["content"])


@pytest.mark.parametrize(
    ("body", "key", "path", "status"),
    [
        (BODY, "wrong", "/chat/completions", 401),
        (BODY, "schlüssel", "/chat/completions", 401),
        (b"{", "demo", "/chat/completions", 400),
        (b"\xff\xfe", "demo", "/chat/completions", 400),
        (b"[]", "demo", "/chat/completions", 400),
        ({"model": MODEL}, "demo", "/chat/completions", 400),
        ({**BODY, "messages": []}, "demo", "/chat/completions", 400),
        ({**BODY, "messages": "hi"}, "demo", "/chat/completions", 400),
        ({**BODY, "max_tokens": 0}, "demo", "/chat/completions", 400),
        ({**BODY, "n": 2}, "demo", "/chat/completions", 400),
        ({**BODY, "model": "gpt"}, "demo", "/chat/completions", 404),
        (BODY, "demo", "/completions", 404),
        (BODY, "demo", "/models", 405),
    ],
)
def test_a_refusal_is_a_json_error_with_its_status(url, body, key, path, status):
    got, text = post(url, body, key=key, path=path)
    assert got == status
    error = json.loads(text)["error"]
    assert error["message"]
    assert error["code"]


def test_a_fault_in_the_body_is_named(url):
    assert "messages" in json.loads(post(url, {"model": MODEL})[1])["error"]["message"]


def test_it_is_gone_after_the_block():
    with serving() as base_url:
        assert complete(base_url, BODY)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(base_url), timeout=HANGS_S)


def test_it_ends_with_its_parent_even_when_that_is_killed():
    script = "import time; from cotdistill.demo.teacher import serving\nwith serving() as u: print(u, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    base_url = parent.stdout.readline().strip()
    assert complete(base_url, BODY)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + HANGS_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address(base_url), timeout=HANGS_S).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    pytest.fail("the teacher outlived its parent")


def test_serve_forever_answers_until_it_is_interrupted():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = f"from cotdistill.demo.teacher import serve_forever; serve_forever(port={port}, api_key='k')"
    server = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + HANGS_S
    while time.monotonic() < deadline:
        try:
            status, _ = post(f"http://127.0.0.1:{port}/v1", BODY, key="k")
            break
        except urllib.error.URLError:
            time.sleep(0.05)
    os.kill(server.pid, signal.SIGINT)
    _, errors = server.communicate(timeout=HANGS_S)
    assert status == 200
    assert errors.strip().endswith("KeyboardInterrupt")


def test_a_port_in_use_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for start in (lambda: serve_forever(port=port), lambda: serving(port=port).__enter__()):
            with pytest.raises(UserError, match=f"^port {port} is in use .*another port") as fault:
                start()
            assert fault.value.exit_code == 2


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("192.0.2.1", 0)])
def test_a_place_where_none_can_listen_is_the_users_fault(host, port):
    with pytest.raises(UserError):
        serve_forever(host=host, port=port)
