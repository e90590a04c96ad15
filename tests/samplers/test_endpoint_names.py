"""Hosts, keys and certificates as users write them: what cannot work is refused before anything is sent."""

import asyncio

import pytest
from pydantic import ValidationError

from cotdistill.errors import UserError
from cotdistill.records import Problem, Sampling
from cotdistill.registry import make
from cotdistill.samplers import Request, SendGate
from tests.support.asking import WHOLE_MESSAGE, ask, message
from tests.support.fault_server import FaultServer


@pytest.mark.parametrize(
    "host", ["a..b", ".a", "256.1.1.1", "1.2.3", "a" * 300, "a" * 64 + ".com", "１２７.0.0.1", "-a.com", "a b"]
)
def test_a_host_that_cannot_be_is_refused(host):
    with pytest.raises(ValidationError, match=r"host|address"):
        make("samplers", "endpoint", model="m", base_url=f"http://{host}/v1")


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1:8000", "[::1]:8000", "api.deepseek.com", "a.b.", "my_pod-0.ns.svc", "xn--bcher-kva.de"],
)
def test_a_host_that_can_be_is_taken(host):
    make("samplers", "endpoint", model="m", base_url=f"http://{host}/v1")


def test_a_fragment_is_refused():
    with pytest.raises(ValidationError, match="fragment"):
        make("samplers", "endpoint", model="m", base_url="http://a.com/v1#canary")


@pytest.mark.parametrize("sign", ["\n", "\x7f", "–", "😀", "密", "\x1b", "é"])
def test_a_key_that_no_header_can_carry_is_refused_by_the_name_of_its_variable(monkeypatch, sign):
    monkeypatch.setenv("MY_KEY", f"canary{sign}key")
    sampler = make("samplers", "endpoint", model="m", base_url="http://a.com/v1", api_key_env="MY_KEY")
    with pytest.raises(UserError, match="MY_KEY") as caught:
        sampler.check()
    assert "canary" not in str(caught.value)


def test_certificates_of_the_environment_are_used_and_a_missing_file_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with FaultServer() as server, pytest.raises(UserError, match="SSL_CERT_FILE"):
        ask(server)


def test_a_proxy_of_the_environment_is_used_only_where_the_recipe_says_so(monkeypatch):
    with FaultServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        there = {"base_url": "http://server.invalid/v1"}
        ask(proxy, **there, max_attempts=1)
        assert not proxy.requests
        [answer] = ask(proxy, **there, use_proxy=True)
    assert message(answer) == WHOLE_MESSAGE
    assert len(proxy.requests) == 1


def test_a_question_with_half_a_character_is_asked():
    problem = Problem(id="p\ud83d", question="how many \ud83d clips?")
    with FaultServer() as server:
        sampler = make("samplers", "endpoint", model="r1", base_url=server.base_url)

        async def main():
            async with sampler.session(SendGate()) as draw:
                return await draw(Request(problem, sampler.messages(problem), Sampling(), 0))

        reply = asyncio.run(main())
    assert reply.response["choices"][0]["message"] == WHOLE_MESSAGE
    assert server.requests[0].prompt == "how many \ufffd clips?"
