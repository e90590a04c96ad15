"""What the embedded teacher answers to a request of the OpenAI protocol: pure, bytes in, payloads out.

POST /v1/chat/completions {"model": "demo-teacher", "messages": [{"role": "user", "content": "Ben has …"}]}
-> 200 {"choices": [{"message": {"content": "The answer is 27.", "reasoning_content": "23 + 12 = …"}, …}], …}
"""

import hashlib
import hmac
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from cotdistill.demo.exercises import Answer, Manner
from cotdistill.demo.logprobs import DRAWS, token_entries
from cotdistill.demo.persona import Turn, answer_chat

MODEL = "demo-teacher"
CREATED = 1_763_683_200
"""Unix seconds; fixed, since the same request gets the same bytes."""
TOKENS_PER_DELTA = 6

JsonObject = dict[str, Any]  # Any: JSON values of the protocol


@dataclass(frozen=True)
class Teacher:
    """Who answers, and to whom."""

    seed: int
    error_rate: float
    """Share of wrong answers, 0..1."""
    api_key: str


@dataclass(frozen=True)
class Request:
    """One HTTP request: `path` without the query, `authorization` the header's value, surrogates for non-UTF-8."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A status and one JSON object."""

    status: int
    payload: JsonObject


@dataclass(frozen=True)
class Stream:
    """Server-sent events with status 200; the closing `[DONE]` is not among them."""

    payloads: tuple[JsonObject, ...]


class Part(BaseModel):
    """A piece of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A message; the content of an assistant's may be missing."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream ends with."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The keys that matter here; servers ignore the others, top_p among them."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    n: Literal[1] | None = None
    seed: int | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    """Share of the answers that go another way than the plain one; 1 and more: all."""
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @model_validator(mode="after")
    def _has_tokens_to_go_with(self) -> "ChatRequest":
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs")
        return self


@dataclass(frozen=True)
class Spoken:
    """An answer as it leaves: cut at the token limit, which counts words and marks."""

    id: str
    reasoning: tuple[str, ...]
    """Its tokens."""
    text: tuple[str, ...]
    finish_reason: Literal["stop", "length"]
    usage: dict[str, int]
    entries: tuple[JsonObject, ...] | None
    """Log-probabilities of all tokens, where they were asked for."""

    def logprobs(self, start: int, end: int) -> JsonObject:
        """Return the log-probabilities of the tokens start..end, counted over thinking and text."""
        if self.entries is None:
            return {}
        border = min(max(len(self.reasoning), start), end)
        parts = {"reasoning_content": self.entries[start:border], "content": self.entries[border:end]}
        return {"logprobs": {name: list(part) for name, part in parts.items() if part or name == "content"}}


def reply(request: Request, teacher: Teacher) -> Reply | Stream:
    """Return the answer to one request: the same request always gets the same one."""
    path = request.path
    if path not in ("/v1/models", "/v1/chat/completions"):
        return error(404, f"unknown path {path}", "not_found")
    authorization = request.authorization.encode(errors="surrogateescape")
    if not hmac.compare_digest(authorization, f"Bearer {teacher.api_key}".encode()):
        return error(401, "wrong or missing API key", "invalid_api_key")
    expected = "GET" if path == "/v1/models" else "POST"
    if request.method != expected:
        return error(405, f"{path} takes {expected}, not {request.method}", "method_not_allowed")
    if path == "/v1/models":
        return Reply(200, {"object": "list", "data": [_model()]})
    try:
        chat = ChatRequest.model_validate_json(request.body)
    except ValidationError as invalid:
        return error(400, _first_fault(invalid), "invalid_request")
    if chat.model != MODEL:
        return error(404, f"the model {chat.model!r} does not exist, {MODEL!r} does", "model_not_found")
    return _answer(chat, teacher)


def error(status: int, message: str, code: str) -> Reply:
    """Return an error in the protocol's shape."""
    return Reply(status, {"error": {"message": message, "type": "invalid_request_error", "code": code}})


def _answer(chat: ChatRequest, teacher: Teacher) -> Reply | Stream:
    spoken = _speak(chat, teacher)
    if chat.stream:
        with_usage = chat.stream_options is not None and chat.stream_options.include_usage
        return Stream(tuple(_chunks(spoken, with_usage=with_usage)))
    message = {
        "role": "assistant",
        "content": "".join(spoken.text),
        "reasoning_content": "".join(spoken.reasoning),
    }
    length = len(spoken.reasoning) + len(spoken.text)
    choice = {"index": 0, "message": message, "finish_reason": spoken.finish_reason, **spoken.logprobs(0, length)}
    return Reply(200, {**_head(spoken.id, "chat.completion"), "choices": [choice], "usage": spoken.usage})


def _speak(chat: ChatRequest, teacher: Teacher) -> Spoken:
    turns = [Turn(message.role, message.text) for message in chat.messages]
    draw = hashlib.sha256(json.dumps([teacher.seed, chat.seed, turns]).encode()).hexdigest()
    manner = Manner(teacher.error_rate, chat.temperature or 0.0)
    given = answer_chat(turns, random.Random(draw), manner)
    entries = None
    if chat.logprobs:
        others = (answer_chat(turns, random.Random(f"{draw} {number}"), manner) for number in range(DRAWS))
        entries = token_entries(_said(given), [_said(other) for other in others], top=chat.top_logprobs or 0)
    thought, final = _tokens(given.reasoning), _tokens(given.text)
    length = len(thought) + len(final)
    limit = min(length, chat.max_completion_tokens or length, chat.max_tokens or length)
    asked = sum(len(_tokens(turn.text)) for turn in turns)
    return Spoken(
        id=f"chatcmpl-{draw[:24]}",
        reasoning=tuple(thought[:limit]),
        text=tuple(final[: max(0, limit - len(thought))]),
        finish_reason="stop" if limit == length else "length",
        usage={"prompt_tokens": asked, "completion_tokens": limit, "total_tokens": asked + limit},
        entries=None if entries is None else tuple(entries[:limit]),
    )


def _chunks(spoken: Spoken, *, with_usage: bool) -> Iterator[JsonObject]:
    head = _head(spoken.id, "chat.completion.chunk")
    usage = {"usage": None} if with_usage else {}
    deltas: list[JsonObject] = [{"delta": {"role": "assistant", "content": ""}}]
    place = 0
    for name, tokens in (("reasoning_content", spoken.reasoning), ("content", spoken.text)):
        for first in range(0, len(tokens), TOKENS_PER_DELTA):
            piece = tokens[first : first + TOKENS_PER_DELTA]
            deltas.append({"delta": {name: "".join(piece)}, **spoken.logprobs(place, place + len(piece))})
            place += len(piece)
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, **delta, "finish_reason": None}], **usage}
    end = {"index": 0, "delta": {}, "finish_reason": spoken.finish_reason}
    yield {**head, "choices": [end], **usage}
    if with_usage:
        yield {**head, "choices": [], "usage": spoken.usage}


def _said(answer: Answer) -> list[str]:
    return [*_tokens(answer.reasoning), *_tokens(answer.text)]


def _tokens(text: str) -> list[str]:
    """Return the teacher's tokens: words, numbers and marks, each with the space before it; of Chinese, characters."""
    return re.findall(r"\s*(?:[A-Za-z0-9']+|\S)", text)


def _head(completion_id: str, kind: str) -> JsonObject:
    return {"id": completion_id, "object": kind, "created": CREATED, "model": MODEL}


def _model() -> JsonObject:
    return {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "cotdistill"}


def _first_fault(invalid: ValidationError) -> str:
    fault = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in fault["loc"])
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])
