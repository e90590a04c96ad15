"""A message of a chat completion -> what it thinks and what it says, by every server's names and shapes.

{"reasoning_content": "…", "content": "72"}                                DeepSeek, DashScope
{"reasoning": "…", "content": "72"}                                        newer vLLM, OpenRouter
{"reasoning": {"content": "…"}, "content": "72"}
{"reasoning_details": [{"type": "reasoning.text", "text": "…"}], "content": "72"}
{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "…"}]}, {"type": "text", "text": "72"}]}
{"content": [[{"type": "thinking", …}], …, "72"]}                          Mistral's, streamed
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cotdistill.errors import whole_characters

APART = ("reasoning_content", "reasoning", "reasoning_details")
"""Fields that hold the thinking; the first that says something, for a server may send the same under two names."""

TEXT_KEYS = ("text", "thinking", "reasoning", "content", "summary")
"""Of an object in a list: the first that is there holds its text."""


def message_text(message: Mapping[str, Any]) -> tuple[str, str]:  # Any: a foreign JSON row
    """Return the thinking that stands apart, empty where none does, and the content; never raises."""
    content = message.get("content")
    thinking = "".join(text for text, is_thought in _parts(content) if is_thought)
    said = "".join(text for text, is_thought in _parts(content) if not is_thought)
    apart = next((text for name in APART if (text := _all_text(message.get(name)))), "")
    return whole_characters(apart or thinking), whole_characters(said)


def text_of(value: object) -> str:
    """Return a text in characters that UTF-8 can hold; empty for anything else."""
    return whole_characters(value) if isinstance(value, str) else ""


def _all_text(value: object) -> str:
    return "".join(text for text, _ in _parts(value))


def _parts(value: object, *, is_thought: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the texts in a text, a list or an object, each with whether it is thinking."""
    waiting: list[tuple[object, bool]] = [(value, is_thought)]
    while waiting:
        item, thought = waiting.pop()
        if isinstance(item, str):
            yield item, thought
        elif isinstance(item, list):
            waiting += [(part, thought) for part in reversed(item)]
        elif isinstance(item, dict):
            kind = item.get("type")
            is_thinking = thought or (isinstance(kind, str) and kind.startswith(("thinking", "reasoning")))
            waiting.append((next((item[name] for name in TEXT_KEYS if item.get(name)), None), is_thinking))
