"""Templates of prompts: `{name}` is replaced for declared names only; every other brace stays as it is.

{question}

Give the final answer as \\boxed{}.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.errors import UserError, unreadable
from cotdistill.records import Message
from cotdistill.think_tags import STRAY_TAG

_PACKAGE = Path(__file__).parent
SHIPPED = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parent
"""Folder of `configs/` and `examples/`: an installed package holds them, a checkout has them at its top."""


def render(template: str, **values: str) -> str:
    """Return the template with every `{name}` of `values` replaced; what is put in is not looked at again."""
    if not values:
        return template
    if len(values) == 1:
        ((name, value),) = values.items()
        return template.replace(f"{{{name}}}", value)
    return _pattern(tuple(values)).sub(lambda match: values[match[1]], template)


@functools.cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds the names in braces."""
    return re.compile(r"\{(" + "|".join(sorted(map(re.escape, names), key=len, reverse=True)) + r")\}")


def load(path: Path, *, required: Sequence[str] = ("question",)) -> str:
    """Return the template in a file, every character of it, the last line end included.

    A byte order mark is no part of it, and every line end is read as a newline character, wherever it was written.
    Raises: UserError: no such file, not UTF-8, a required name is missing.
    """
    try:
        template = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    for name in required:
        if f"{{{name}}}" not in template:
            raise UserError(f"{{{name}}} is missing", str(path), f"write {{{name}}} where the {name} belongs")
    return template


def as_text(messages: Sequence[Message]) -> str:
    """Return a prompt as a model without a chat reads it: the turns' texts, a blank line between."""
    return "\n\n".join(message.content for message in messages)


NO_SYSTEM = "none"


def read_system(named: str | None) -> str | None:
    """Return the words of a system prompt that an option names; empty: none; None: the style's own. Raises: UserError.

    A file holds it, or it is NO_SYSTEM.
    """
    if named is None or named == NO_SYSTEM:
        return None if named is None else ""
    return load(Path(named), required=())


Tokenizer = Any  # Any: transformers' tokenizer, which is not loaded here

SPARE_TOKENS = 8
"""Tokens that are read beyond the ones that a text can have: special ones have no text."""


def as_chat(tokenizer: Tokenizer, messages: Sequence[Message], begun: str = "") -> str:
    """Return a prompt as a model with a chat reads it, by its tokenizer's template; `begun` begins the answer.

    A tag that the template writes itself, as that of R1's distilled models does, is not written twice.
    """
    rows = [{"role": message.role, "content": message.content} for message in messages]
    text: str = tokenizer.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
    shown = text.rstrip()
    tag = STRAY_TAG.match(begun)
    if tag is not None and shown.endswith(tag[0]):
        begun = begun[tag.end() :].removeprefix(text[len(shown) :])
    return text + begun


def tokens_of(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the tokens of a text that the template has finished: none are added."""
    tokens: list[int] = tokenizer.encode(text, add_special_tokens=False) if text else []
    return tokens


def text_of(tokenizer: Tokenizer, tokens: Sequence[int], *, after: Sequence[int] = ()) -> str:
    """Return the text of an answer's tokens; `after` are those that it goes on from, where it was begun for it."""
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=True)
    if after:
        # A word's first token tells its space only to what stands before it, with some tokenizers.
        before = list(after[-SPARE_TOKENS:])
        start: str = tokenizer.decode(before, skip_special_tokens=True)
        whole: str = tokenizer.decode([*before, *tokens], skip_special_tokens=True)
        text = whole[len(start) :] if whole.startswith(start) else text
    return text


class Opening(NamedTuple):
    """What stands before a question."""

    system: tuple[Message, ...]
    """The system prompt, or nothing."""
    turns: tuple[Message, ...]
    """Earlier questions with their answers."""


def opening(system: str | None, context: Sequence[Message] = ()) -> Opening:
    """Return what stands before a question that has a context of its own, under the system prompt of a recipe.

    A context with a system prompt of its own keeps it, behind the recipe's where that does not hold it already.
    """
    if not context:
        return _under(system)
    own = "".join(message.content for message in context if message.role == "system")
    texts = [text for text in (system, own) if text]
    if len(texts) == 2 and own in texts[0]:
        texts.pop()
    said = (Message(role="system", content="\n\n".join(texts)),) if texts else ()
    return Opening(said, tuple(message for message in context if message.role != "system"))


@functools.lru_cache(maxsize=64)
def _under(system: str | None) -> Opening:
    """Return what stands before a question without a context, of which there may be millions."""
    return Opening((Message(role="system", content=system),) if system else (), ())
