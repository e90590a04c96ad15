"""Log-probabilities of the embedded teacher: of its own tokens, and as likely as it is to say them."""

import json
import math

import pytest

from cotdistill.demo.logprobs import token_entries
from cotdistill.demo.problems import make_problems
from cotdistill.demo.protocol import MODEL, Reply, Request, Stream, Teacher, reply

QUESTION = next(make_problems(1, seed=4)).question
TEACHER = Teacher(seed=1, error_rate=0.15, api_key="k")


def asked(**options):
    body = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], **options}
    return reply(Request("POST", "/v1/chat/completions", "Bearer k", json.dumps(body).encode()), TEACHER)


def choice(**options):
    said = asked(**options)
    assert isinstance(said, Reply) and said.status == 200
    return said.payload["choices"][0]


def test_the_share_of_answers_that_begin_alike_is_the_probability():
    others = [["a", "b"]] * 5 + [["a", "c"]] * 2 + [["x", "y", "z"]]
    first, second = token_entries(["a", "b"], others, top=2)
    assert math.exp(first["logprob"]) == pytest.approx(8 / 9)
    assert [entry["token"] for entry in first["top_logprobs"]] == ["a", "x"]
    assert [math.exp(entry["logprob"]) for entry in second["top_logprobs"]] == pytest.approx([6 / 8, 2 / 8])


@pytest.mark.parametrize("limit", [{}, {"max_tokens": 5}])
def test_the_tokens_are_those_of_the_message_and_change_nothing_in_it(limit):
    plain, with_them = choice(**limit), choice(logprobs=True, top_logprobs=5, **limit)
    found = with_them.pop("logprobs")
    assert with_them == plain
    for name in ("reasoning_content", "content"):
        entries = found.get(name, [])
        assert "".join(entry["token"] for entry in entries) == plain["message"][name]
        for entry in entries:
            assert bytes(entry["bytes"]).decode() == entry["token"]
            likely = [math.exp(other["logprob"]) for other in entry["top_logprobs"]]
            assert likely == sorted(likely, reverse=True) and sum(likely) <= 1 + 1e-9 and len(likely) <= 5
    assert any(len(entry["top_logprobs"]) > 1 for entry in found["reasoning_content"]), "it might say other things"


def test_a_stream_brings_each_token_beside_its_text():
    said = asked(stream=True, logprobs=True, top_logprobs=2)
    assert isinstance(said, Stream)
    whole = choice(logprobs=True, top_logprobs=2)["logprobs"]
    parts = {"reasoning_content": [], "content": []}
    for chunk in (payload["choices"][0] for payload in said.payloads):
        for name, entries in (chunk.get("logprobs") or {}).items():
            assert "".join(entry["token"] for entry in entries) == chunk["delta"].get(name, "")
            parts[name] += entries
    assert parts == whole


def test_top_logprobs_need_logprobs():
    refused = asked(top_logprobs=2)
    assert isinstance(refused, Reply) and refused.status == 400
