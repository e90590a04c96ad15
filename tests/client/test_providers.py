import asyncio
import socket

import pytest

from cotdistill.client.concurrency import SendGate
from cotdistill.client.providers import continuation, ignored_options, without
from cotdistill.records import Problem, Sampling
from cotdistill.registry import make
from cotdistill.samplers import Request
from tests.support.fault_server import FaultServer

THINKS = ("temperature", "top_p")


@pytest.mark.parametrize(
    ("base_url", "model", "ignored"),
    [
        ("https://api.deepseek.com/v1", "deepseek-reasoner", THINKS),
        ("https://API.DeepSeek.com:443", "deepseek-reasoner", THINKS),
        ("https://deepseek.com/v1", "another", THINKS),
        ("https://api.deepseek.com/v1", "deepseek-chat", ()),
        ("https://notdeepseek.com/v1", "deepseek-reasoner", ()),
        ("https://deepseek.com.example.org/v1", "deepseek-reasoner", ()),
        ("http://127.0.0.1:8000/deepseek.com", "deepseek-reasoner", ()),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "deepseek-r1", ()),
    ],
)
def test_what_a_provider_ignores_follows_from_its_host_and_the_model(base_url, model, ignored):
    assert ignored_options(base_url, model) == ignored


def test_an_ignored_option_is_taken_away_and_the_others_stay():
    sampling = Sampling(max_tokens=100, temperature=0.6, top_p=0.95, seed=1)
    assert without(sampling, THINKS) == Sampling(max_tokens=100, seed=1)
    assert without(sampling, ()) == sampling


@pytest.mark.parametrize(
    ("servers", "temperature"),
    [
        ({"base_url": "https://api.deepseek.com/v1"}, None),
        ({"base_url": "http://127.0.0.1:8000/v1"}, 0.6),
        ({"endpoints": [{"base_url": "https://api.deepseek.com/v1"}, {"base_url": "http://127.0.0.1:8000/v1"}]}, 0.6),
        ({"endpoints": [{"base_url": "https://api.deepseek.com/v1", "model": "deepseek-chat"}]}, 0.6),
    ],
)
def test_an_option_is_left_out_only_where_every_server_ignores_it(servers, temperature):
    sampler = make("samplers", "endpoint", model="deepseek-reasoner", **servers)
    assert sampler.effective(Sampling(temperature=0.6)).temperature == temperature


@pytest.mark.parametrize(
    ("name_there", "applied"), [(None, {"seed": 7}), ("deepseek-chat", {"seed": 7, "temperature": 0.6})]
)
def test_an_ignored_option_is_neither_sent_nor_recorded(monkeypatch, name_there, applied):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    real = socket.getaddrinfo
    at_home = lambda host, *rest, **options: real(  # noqa: E731
        "127.0.0.1" if host in ("api.deepseek.com", b"api.deepseek.com") else host, *rest, **options
    )
    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    with FaultServer() as server:
        here = {"base_url": f"http://api.deepseek.com:{server.port}/v1", "model": name_there}
        sampler = make("samplers", "endpoint", model="deepseek-reasoner", endpoints=[here])
        problem = Problem(id="p", question="q")
        sampling = sampler.effective(Sampling(temperature=0.6, seed=7))

        async def main():
            async with sampler.session(SendGate()) as draw:
                return await draw(Request(problem, sampler.messages(problem), sampling, 0))

        reply = asyncio.run(main())
    assert reply.applied == applied
    assert {name: server.requests[0].body.get(name) for name in applied} == applied
    assert ("temperature" in server.requests[0].body) is ("temperature" in applied)


@pytest.mark.parametrize(
    ("base_url", "message", "body"),
    [
        ("http://127.0.0.1:8000/v1", {}, {"continue_final_message": True, "add_generation_prompt": False}),
        ("https://api.deepseek.com/beta", {"prefix": True}, {}),
        ("https://api.mistral.ai/v1", {"prefix": True}, {}),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", {"partial": True}, {}),
    ],
)
def test_how_a_server_goes_on_with_an_answer_follows_from_its_host(base_url, message, body):
    assert continuation(base_url) == (message, body)


def test_some_servers_go_on_with_no_answer():
    assert continuation("https://api.openai.com/v1") is None
