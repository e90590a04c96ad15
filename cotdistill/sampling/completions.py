"""A stored response -> Completion: where the thinking is, and whether there is an answer after it.

Servers send the thinking apart (see `client/message_text`) or inside the content: `<think>…</think>`, also without
the opening tag, which some chat templates put into the prompt.
"""

from typing import Any

from cotdistill.client.costs import token_count
from cotdistill.client.message_text import message_text, text_of
from cotdistill.errors import whole_characters
from cotdistill.records import Completion, CompletionStatus, Usage
from cotdistill.storage.ledger import LedgerEntry
from cotdistill.think_tags import CLOSE, OPEN, Split, split_thinking


def read_completion(entry: LedgerEntry) -> Completion:
    """Return what a stored response says; never raises, whatever the response holds."""
    response = entry.response
    choice = _first(response.get("choices"))
    message = _object(choice.get("message"))
    thinking = _thinking(message)
    finish_reason = text_of(choice.get("finish_reason"))
    usage = _object(response.get("usage"))
    return Completion(
        key=entry.key,
        index=entry.index,
        text=thinking.text,
        reasoning=thinking.reasoning,
        status=_status(thinking, finish_reason, refusal=text_of(message.get("refusal"))),
        finish_reason=finish_reason,
        model=text_of(response.get("model")),
        fingerprint=text_of(response.get("system_fingerprint")),
        usage=Usage(
            prompt_tokens=token_count(usage.get("prompt_tokens")),
            completion_tokens=token_count(usage.get("completion_tokens")),
        ),
        latency_s=entry.latency_s,
        first_content_s=entry.first_content_s,
        attempts=entry.attempts,
        attempt_errors=tuple(map(whole_characters, entry.attempt_errors)),
        applied=entry.applied,
    )


def read_whole_text(entry: LedgerEntry, begun: str = "") -> str:
    """Return all that a model said, after what its answer was begun with; never raises.

    Thinking that the server hands out apart stands between `<think>` tags, as models write it.
    """
    apart, content = message_text(_object(_first(entry.response.get("choices")).get("message")))
    if not apart:
        return f"{begun}{content}"
    opening = "" if OPEN in begun else f"{OPEN}\n"
    return f"{begun}{opening}{apart}" + (f"\n{CLOSE}\n\n{content}" if content else "")


def _thinking(message: dict[str, Any]) -> Split:  # Any: a foreign JSON row
    apart, content = message_text(message)
    if not apart:
        return split_thinking(content)
    # As they came: where the server takes them apart, white space is the teacher's own.
    is_empty = not apart.strip()
    return Split("" if is_empty else apart, content, is_empty)


def _status(thinking: Split, finish_reason: str, *, refusal: str) -> CompletionStatus:
    if refusal:
        return "refusal"
    if finish_reason == "content_filter":
        return "content_filter"
    if finish_reason == "length":
        return "truncated"
    if not thinking.text.strip():
        return "empty_answer"
    return "empty_reasoning" if thinking.is_empty else "ok"


def _first(value: object) -> dict[str, Any]:  # Any: a foreign JSON row
    return _object(value[0]) if isinstance(value, list) and value else {}


def _object(value: object) -> dict[str, Any]:  # Any: a foreign JSON row
    return value if isinstance(value, dict) else {}
