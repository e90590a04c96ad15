"""Rows as the student will see them: the text of its tokens, and which of them it learns."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.data import Dataset
from cotdistill.records import Conversation, Message, Trace
from cotdistill.styles import Style, conversation

if TYPE_CHECKING:
    from cotdistill.training.prepare.tokens import Encoder


class Span(NamedTuple):
    """Tokens in a row that are all learned, or all given."""

    tokens: tuple[str, ...]
    is_supervised: bool


class Shown(NamedTuple):
    """One row for the eyes."""

    title: str
    spans: tuple[Span, ...]


def render_rows(dataset: Dataset, style: Style, encoder: "Encoder | None", *, count: int) -> Iterator[Shown]:
    """Yield the first rows; without a tokenizer message by message.

    Raises: UserError.
    """
    for where, value in islice(dataset.read_samples(limit=count), count):
        if isinstance(value, Conversation):
            written: Conversation | tuple[Message, ...] = value
        elif isinstance(value, Trace):
            written = conversation(style, value)
        else:
            written = style.prompt(value)
        if encoder is None or not isinstance(written, Conversation):
            yield Shown(where, tuple(_messages(written)))
        else:
            yield _encoded(where, written, encoder)


def _messages(written: Conversation | tuple[Message, ...]) -> Iterator[Span]:
    messages = written.messages if isinstance(written, Conversation) else written
    last = len(messages) - 1 if isinstance(written, Conversation) else len(messages)
    for number, message in enumerate(messages):
        yield Span((f"{message.role}: ",), is_supervised=False)
        yield Span((message.content,), is_supervised=number == last)
        yield Span(("\n",), is_supervised=False)


def _encoded(where: str, written: Conversation, encoder: "Encoder") -> Shown:
    (row,) = encoder.encode([written])
    prompt, answer = row.input_ids[: row.prompt_length], row.input_ids[row.prompt_length :]
    title = f"{where}: {len(row.input_ids):,} tokens, {len(answer):,} learned"
    spans = (
        Span(tuple(_texts(prompt, encoder)), is_supervised=False),
        Span(tuple(_texts(answer, encoder)), is_supervised=True),
    )
    return Shown(title, spans)


def _texts(ids: list[int], encoder: "Encoder") -> Iterator[str]:
    """Yield the text of each token; a character that is cut over several tokens stands at its last one."""
    pending: list[int] = []
    for token in ids:
        pending.append(token)
        text = str(encoder.tokenizer.decode(pending, skip_special_tokens=False))
        if "\ufffd" not in text or len(pending) > 8:
            yield text
            pending = []
    if pending:
        yield str(encoder.tokenizer.decode(pending, skip_special_tokens=False))
