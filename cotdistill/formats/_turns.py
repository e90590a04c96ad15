"""One turn of a foreign conversation: what it says, and what it thinks apart from that.

{"role": "assistant", "reasoning_content": "48 / 2 = 24 …", "content": "72"}
{"role": "assistant", "content": [{"type": "thinking", "thinking": "48 / 2 …"}, {"type": "text", "text": "72"}]}
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from cotdistill.formats import JsonRow
from cotdistill.formats._checks import checked
from cotdistill.records import Message
from cotdistill.think_tags import CLOSE, OPEN, Split, split_recorded

APART = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Keys of a turn's thinking."""
CALLS = ("tool_calls", "function_call")
"""Keys of what no student here learns."""
TEXTS = ("text", "input_text", "output_text")
"""Types of a part of a content that is said."""
THOUGHTS = ("thinking", "reasoning", "reasoning.text", "reasoning.summary")
"""Types of a part that is thought."""
PART_TEXTS = ("text", "thinking", "reasoning", "content", "summary")
"""Keys of a part's text, which may be parts again."""


ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    **{"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant"},
    **{"system": "system", "developer": "system"},
}
"""Usual names of a turn's role."""

_ANSWER = re.compile(r"<answer>((?:(?!</?answer>).)*)(?:</answer>)?", re.DOTALL | re.IGNORECASE)


class Said(NamedTuple):
    """What a turn says."""

    reasoning: str
    """What stands apart from its text; empty where nothing does."""
    text: str

    @property
    def written(self) -> str:
        """The turn as one text, its thinking in the tags of R1 and Qwen."""
        return f"{OPEN}\n{self.reasoning.strip()}\n{CLOSE}\n\n{self.text}" if self.reasoning.strip() else self.text


def said_in(turn: JsonRow, content_tag: str, place: str, *, is_answer: bool) -> Said:
    """Return what a turn says; its thinking is looked for in answers alone.

    Raises: ValueError that names the key, what was expected and what was found.
    """
    name = f"{place}.{content_tag}"
    if content_tag not in turn:
        raise ValueError(f"{name}: is missing; keys here: {', '.join(map(str, turn)) or 'none'}")
    if not isinstance(turn[content_tag], str | list | tuple):
        raise ValueError(f"{name}: expected text, found {_kind(turn[content_tag])}")
    thought, text = _parts(turn[content_tag], name)
    if not is_answer:
        if thought.strip():
            raise ValueError(f"{name}: expected no thinking but in answers")
        return Said("", text)
    if call := next((key for key in CALLS if turn.get(key)), None):
        raise ValueError(f"{place}.{call}: calls of tools cannot be learned here")
    for key in APART:
        found = "".join(_parts(turn.get(key), f"{place}.{key}", is_thought=True))
        if found.strip() and thought.strip() not in ("", found.strip()):
            raise ValueError(f"{place}.{key}: expected the one rationale of its turn, found another one")
        thought = thought if thought.strip() else found
    tagged = split_recorded(text).reasoning.strip() if thought.strip() else ""
    if tagged and tagged != thought.strip():
        raise ValueError(f"{name}: expected no rationale in tags beside that of its own, found another one")
    return Said("" if tagged else thought, text)


def message(role: str, turn: JsonRow, content_tag: str, place: str) -> Message:
    """Return a turn as a message, its thinking in tags. Raises: ValueError."""
    said = said_in(turn, content_tag, place, is_answer=role == "assistant")
    return Message.model_validate({"role": role, "content": said.written})


class Exchange(NamedTuple):
    """The last question of a list of turns, and its answer."""

    context: tuple[Message, ...]
    question: str
    answer: Split


def read_exchange(turns: object, key: str, *, role_tag: str | None, content_tag: str | None) -> Exchange:
    """Return the last question of a list of turns with its answer, and all that stands before them.

    Tags that are None have their usual names. Raises: ValueError that names the key.
    """
    if not isinstance(turns, list | tuple) or len(turns) < 2:
        raise ValueError(f"{key}: expected a list of at least two turns, found {_kind(turns)}")
    messages = []
    for number, turn in enumerate(turns):
        place = f"{key}[{number}]"
        role, text_key = _role_and_key(turn, place, role_tag, content_tag)
        if number < len(turns) - 1:
            messages.append(message(role, turn, text_key, place))
        else:
            said = said_in(turn, text_key, place, is_answer=True)
            messages.append(Message(role=role, content=said.written))
    *context, asked, _ = checked("", messages, key).messages
    for number, text in ((len(turns) - 2, asked.content), (len(turns) - 1, f"{said.reasoning}{said.text}")):
        if not text.strip():
            raise ValueError(f"{key}[{number}].{text_key}: expected text, found nothing but white space")
    answer = read_answer(said.text)
    if said.reasoning.strip():
        answer = Split(said.reasoning, answer.text)
    return Exchange(tuple(context), asked.content, answer)


class Asked(NamedTuple):
    """The last question of a list of turns."""

    context: tuple[Message, ...]
    question: str


def read_asked(turns: object, key: str, *, role_tag: str | None, content_tag: str | None) -> Asked:
    """Return the last question of a list of turns, and all that stands before it; its answer may be elsewhere.

    Tags that are None have their usual names. Raises: ValueError that names the key.
    """
    last = turns[-1] if isinstance(turns, list | tuple) and turns else None
    role_key = role_tag or ("role" if isinstance(last, dict) and "role" in last else "from")
    if not isinstance(last, dict) or ROLES.get(str(last.get(role_key))) != "user":
        said = read_exchange(turns, key, role_tag=role_tag, content_tag=content_tag)
        return Asked(said.context, said.question)
    messages = []
    for number, turn in enumerate(turns):  # type: ignore[arg-type, var-annotated]
        place = f"{key}[{number}]"
        role, text_key = _role_and_key(turn, place, role_tag, content_tag)
        messages.append(message(role, turn, text_key, place))
    if not messages[-1].content.strip():
        raise ValueError(f"{place}.{text_key}: expected text, found nothing but white space")
    *context, asked, _ = checked("", [*messages, Message(role="assistant", content="…")], key).messages
    return Asked(tuple(context), asked.content)


def _role_and_key(
    turn: object, place: str, role_tag: str | None, content_tag: str | None
) -> tuple[Literal["system", "user", "assistant"], str]:
    """Return the role of a turn and the key of its text. Raises: ValueError."""
    if not isinstance(turn, dict):
        raise ValueError(f"{place}: expected an object, found {_kind(turn)}")
    role = turn.get(role_tag or ("role" if "role" in turn else "from"))
    if not isinstance(role, str) or role not in ROLES:
        raise ValueError(f"{place}: expected a turn of {' or '.join(ROLES)}, found {role}")
    return ROLES[role], content_tag or ("value" if "value" in turn else "content")


def read_answer(content: str) -> Split:
    """Take a recorded answer apart, by the tags of its thinking and of its answer where that is all that follows."""
    split = split_recorded(content)
    tagged = _ANSWER.fullmatch(split.text.strip())
    return split._replace(text=tagged[1]) if tagged else split


def _parts(value: object, place: str, *, is_thought: bool = False) -> tuple[str, str]:
    """Return what a text or a list of parts thinks and what it says."""
    if value is None:
        return "", ""
    if isinstance(value, str):
        return (value, "") if is_thought else ("", value)
    if isinstance(value, list | tuple):
        both = [_parts(part, f"{place}[{number}]", is_thought=is_thought) for number, part in enumerate(value)]
        return "".join(thought for thought, _ in both), "".join(text for _, text in both)
    if not isinstance(value, dict):
        raise ValueError(f"{place}: expected text, found {_kind(value)}")
    kind = value.get("type")
    if kind is not None and kind not in (*TEXTS, *THOUGHTS):
        raise ValueError(f"{place}: expected text or thinking, found a part of type `{kind}`")
    key = next((key for key in PART_TEXTS if value.get(key) is not None), None)
    if key is None:
        raise ValueError(f"{place}: expected a part with text, found the keys {', '.join(map(str, value)) or 'none'}")
    return _parts(value[key], f"{place}.{key}", is_thought=is_thought or kind in THOUGHTS)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
