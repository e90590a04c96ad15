"""Every field of a reply, with every value that JSON can hold: a fault of the attempt or an answer, nothing else."""

import asyncio
import copy
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cotdistill.client.costs import Prices, Spending
from cotdistill.client.response_reader import ResponseReader, Timeouts
from cotdistill.client.retries import NoAnswer, Transient
from cotdistill.errors import AccessRefused
from cotdistill.sampling.completions import read_completion
from cotdistill.storage.ledger import Ledger, LedgerEntry

VALUES = {
    "null": None,
    "true": True,
    "list": [],
    "list of a text": ["stop"],
    "list of objects": [{"type": "thinking", "thinking": [{"text": "a"}]}, "72", {"text": 3}],
    "object": {},
    "object of lists": {"text": ["a"], "content": {}},
    "zero": 0,
    "float": 1000.0,
    "negative": -7,
    "huge": 10**400,
    "infinite": float("inf"),
    "text": "x",
    "empty": "",
    "digits": "1000",
    "long": "a" * 70_000,
    "surrogate": "a \ud83d b",
    "control": "\x1b]0;title\x07\x00",
}
CHOICE = {
    "index": 0,
    "finish_reason": "stop",
    "logprobs": {"content": [{"token": "a", "logprob": -1.0}]},
}
MESSAGE = {
    "role": "assistant",
    "content": "72",
    "reasoning_content": "a",
    "reasoning": "a",
    "reasoning_details": [{"text": "a"}],
    "refusal": None,
    "tool_calls": None,
}
TOP = {
    "id": "c",
    "model": "r1",
    "object": "chat.completion",
    "system_fingerprint": "f",
    "error": None,
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "prompt_cache_hit_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 3},
    },
}
PLACES = [
    *((name,) for name in (*TOP, "choices")),
    *(("usage", name) for name in TOP["usage"]),
    ("usage", "prompt_tokens_details", "cached_tokens"),
    ("choices", 0),
    *(("choices", 0, name) for name in (*CHOICE, "said")),
    *(("choices", 0, "said", name) for name in MESSAGE),
    ("choices", 0, "logprobs", "content"),
    ("error", "message"),
    ("error", "code"),
    ("error", "type"),
]


def reply(place: tuple[str | int, ...], value: object, *, said: str) -> dict[str, Any]:
    """Return a good reply with one value replaced; `said` is what holds the message."""
    row = copy.deepcopy({**TOP, "choices": [{**CHOICE, "said": MESSAGE}]})
    if place[0] == "error" and len(place) > 1:
        row["error"] = {"message": "no", "code": "c", "type": "t"}
    inner: Any = row
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    choices = row["choices"]
    if isinstance(choices, list) and choices and isinstance(choices[0], dict) and "said" in choices[0]:
        choices[0][said] = choices[0].pop("said")
    return row


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def read(body: bytes, *, is_streamed: bool) -> dict[str, Any]:
    reader = ResponseReader(Timeouts(), is_streamed=is_streamed, secret="secret")
    async with asyncio.timeout(None) as timer:
        reader.start(timer)
        await reader.read(chunks(body))
    reader.close()
    return reader.response


@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "whole"])
def test_no_value_of_any_field_is_more_than_a_fault_of_the_attempt(tmp_path, is_streamed):
    answers = 0
    with Ledger(tmp_path / "c.jsonl") as ledger:
        for number, (place, (name, value)) in enumerate(itertools.product(PLACES, VALUES.items()), 1):
            row = reply(place, value, said="delta" if is_streamed else "message")
            body = json.dumps(row).encode()
            try:
                response = asyncio.run(
                    read(b"data: " + body + b"\n\ndata: [DONE]\n\n" if is_streamed else body, is_streamed=is_streamed)
                )
            except (Transient, NoAnswer, AccessRefused):
                continue
            except Exception as error:
                raise AssertionError(f"{place} = {name}: {error!r}") from error
            entry = LedgerEntry(key=f"{number:064x}", index=0, problem_id="p", response=response)
            ledger.append(entry)
            read_completion(ledger.get(entry.key, 0)).model_dump_json()
            spending = Spending()
            spending.add(response)
            spending.as_json(Prices(input=1, output=1))
            answers += 1
        assert len(ledger) == answers
    assert answers > len(VALUES) * 10


@pytest.mark.parametrize("reason", [["stop"], {"a": 1}, 7, True])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_finish_reason_that_is_no_text_is_a_fault_of_the_attempt(reason, is_streamed):
    row = reply(("choices", 0, "finish_reason"), reason, said="delta" if is_streamed else "message")
    body = json.dumps(row).encode()
    with pytest.raises(Transient):
        asyncio.run(read(b"data: " + body + b"\n\n" if is_streamed else body, is_streamed=is_streamed))
