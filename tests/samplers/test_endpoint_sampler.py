import asyncio
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cotdistill import registry
from cotdistill.client.concurrency import SendGate
from cotdistill.errors import AccessRefused, TryAgainLater, UserError
from cotdistill.records import Problem, Sampling
from cotdistill.samplers import Reply, Request, Unanswered
from cotdistill.samplers.endpoint import Endpoint
from tests.support.fault_server import FaultServer, Script, status

PROBLEM = Problem(id="p1", question="What is \\boxed{1 + 1}? {question} {gold}")
URL = "http://127.0.0.1:9/v1"


def request(sampler: Endpoint, sampling: Sampling | None = None, index: int = 0) -> Request:
    return Request(PROBLEM, sampler.messages(PROBLEM), sampling or Sampling(), index)


def drawn(sampler: Endpoint, sampling: Sampling | None = None, indices: tuple[int, ...] = (0,)) -> list[Reply]:
    async def main() -> list[Reply]:
        async with sampler.session(SendGate()) as draw:
            return [await draw(request(sampler, sampling, index)) for index in indices]

    return asyncio.run(main())


def options(**given: object) -> registry.KindOptions:
    model = registry.kinds("samplers")["endpoint"].options
    return model.model_validate({"kind": "endpoint", "base_url": URL, "model": "r1", **given})


@pytest.mark.parametrize("stream", [True, False])
def test_a_completion_is_drawn_as_the_recipe_says(stream: bool) -> None:
    with FaultServer() as server:
        sampler = Endpoint(base_url=server.base_url, model="r1", stream=stream, extra_body={"top_k": 5})
        [reply] = drawn(sampler, Sampling(max_tokens=100, temperature=0.6))
    assert reply.response["choices"][0]["message"]["content"] == "48 + 24 = 72 → **72** "
    assert (reply.attempts, reply.first_content_s is None) == (1, not stream)
    body = server.requests[0].body
    assert body.pop("stream_options", None) == ({"include_usage": True} if stream else None)
    assert body == {
        "model": "r1",
        "messages": [{"role": "user", "content": PROBLEM.question}],
        "stream": stream,
        "max_tokens": 100,
        "temperature": 0.6,
        "top_k": 5,
    }


def test_an_answer_that_is_begun_is_the_last_message_and_is_gone_on_with() -> None:
    with FaultServer() as server:
        sampler = Endpoint(base_url=server.base_url, model="r1")
        begun = dataclasses.replace(request(sampler), prefix="<think>\nHalf of 48")

        async def main() -> Reply:
            async with sampler.session(SendGate()) as draw:
                return await draw(begun)

        reply = asyncio.run(main())
    body = server.requests[0].body
    assert body["messages"][-1] == {"role": "assistant", "content": "<think>\nHalf of 48"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in reply.applied, "it is no sampling option"


def test_each_sample_of_a_prompt_has_its_own_seed() -> None:
    with FaultServer() as server:
        sampler = Endpoint(base_url=server.base_url, model="r1")
        drawn(sampler, Sampling(seed=7), indices=(0, 1, 2))
        drawn(sampler, Sampling(), indices=(0, 1))
    assert [received.body.get("seed") for received in server.requests] == [7, 8, 9, None, None]


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ((status(400, '{"error": {"message": "too long"}}'),), Unanswered, "failed: HTTP 400: too long"),
        ((status(500, ""),), Unanswered, "exhausted: HTTP 500 (1 attempts)"),
        ((status(402, '{"error": {"message": "empty"}}'),), AccessRefused, "HTTP 402: empty (the key is read from KEY"),
    ],
)
def test_what_goes_wrong_is_said_once(
    monkeypatch: pytest.MonkeyPatch, fault: Script, error: type[Exception], text: str
) -> None:
    monkeypatch.setenv("KEY", "canary-7e2a")
    faults: Mapping[int, Any] = {0: fault}
    with FaultServer(faults) as server, pytest.raises(error) as caught:
        drawn(Endpoint(base_url=server.base_url, model="r1", api_key_env="KEY", max_attempts=1))
    assert text in str(caught.value)
    assert len(server.requests) == 1
    assert "bearer canary-7e2a" in server.requests[0].head.lower()


def test_an_endpoint_that_is_down_is_told_apart() -> None:
    with FaultServer() as server:
        pass
    with pytest.raises(TryAgainLater):
        drawn(Endpoint(base_url=server.base_url, model="r1", max_outage_s=0))


def test_a_key_that_is_not_set_is_known_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Endpoint(base_url=URL, model="r1", api_key_env="COTDISTILL_TEST_KEY")
    for value in (None, "", " "):
        if value is None:
            monkeypatch.delenv("COTDISTILL_TEST_KEY", raising=False)
        else:
            monkeypatch.setenv("COTDISTILL_TEST_KEY", value)
        with pytest.raises(UserError, match="API key variable COTDISTILL_TEST_KEY is not set"):
            sampler.check()
    monkeypatch.setenv("COTDISTILL_TEST_KEY", "key")
    sampler.check()


def test_the_prompt_is_the_template_with_the_question_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("Explain {question}, answer in \\boxed{}\n")
    sampler = Endpoint(base_url=URL, model="r1", prompt=path, system="Be patient.")
    sampler.check()
    assert [(message.role, message.content) for message in sampler.messages(PROBLEM)] == [
        ("system", "Be patient."),
        ("user", f"Explain {PROBLEM.question}, answer in \\boxed{{}}\n"),
    ]
    path.write_text("Explain")
    with pytest.raises(UserError, match=r"\{question\} is missing"):
        Endpoint(base_url=URL, model="r1", prompt=path).check()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        *(
            ({"base_url": url}, "must be an http or https address")
            for url in (
                "api.deepseek.com",
                "ftp://x/v1",
                "http://",
                "https:///v1",
                "http://x:port/v1",
                "http://[x/v1",
                "",
            )
        ),
        ({"base_url": "https://user:canary@x/v1"}, "no user, password or query"),
        ({"base_url": "https://x/v1?key=canary"}, "no user, password or query"),
        ({"base_url": "https://x/v1/chat/completions"}, "before /chat/completions"),
        ({"api_key_env": "sk-canary"}, "name of an environment variable, not the key itself"),
        ({"extra_body": {"n": 4, "stream": False}}, "must not hold n, stream"),
        ({"gap_timeout_s": 0}, "greater than 0"),
        ({"max_attempts": 0}, "greater than or equal to 1"),
        ({"model": ""}, "at least 1 character"),
    ],
)
def test_an_option_that_cannot_work_is_refused_with_the_recipe(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        options(**given)
    assert len(caught.value.errors()) == 1
    assert "canary" not in caught.value.errors()[0]["msg"]


def test_how_it_is_asked_is_no_part_of_the_key_and_what_is_asked_is() -> None:
    known = options().key_options()
    operational = {
        "base_url": "https://x/v1",
        "api_key_env": "K",
        "stream": False,
        "gap_timeout_s": 1,
        "max_attempts": 2,
    }
    assert options(**operational).key_options() == known
    for name, value in {"model": "r2", "system": "s", "prompt": "p.txt", "extra_body": {"top_k": 1}}.items():
        assert options(**{name: value}).key_options() != known


def test_the_identity_holds_what_changes_the_answers() -> None:
    identities = [
        Endpoint(base_url=URL, model=model, extra_body=extra).identity
        for model in ("r1", "r2")
        for extra in (None, {"enable_thinking": True}, {"enable_thinking": False})
    ]
    assert len(set(identities)) == 6
    one, other = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert Endpoint(base_url=URL, model="r1", extra_body=one).identity == (
        Endpoint(base_url="http://y/v1", model="r1", extra_body=other).identity
    )


def test_every_option_is_explained() -> None:
    fields = registry.kinds("samplers")["endpoint"].options.model_fields
    assert [name for name, field in fields.items() if name != "kind" and not field.description] == []
    json.dumps(registry.kinds("samplers")["endpoint"].options.model_json_schema())
