"""File layouts of data sets, by their names in dataset_info.json: one module, one layout.

A format is a frozen dataclass whose fields are the keys of a row. All are read; those of conversations are written too,
and described in the terms of dataset_info.json. A row carries its conversation's id under `id`, which the reader of a
file passes on: `format.decode(row := format.encode(conversation), row["id"]) == conversation`.
"""

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol

from cotdistill.records import Conversation, Problem, Trace

JsonRow = dict[str, Any]  # Any: a foreign JSON row

Holds = Literal["problems", "traces", "conversations"]
"""What the rows of a set are: questions, recorded answers, or what a student learns from as it is."""

ID = "id"
"""Key of a row's id. No entry of dataset_info.json names it: openMind and LLaMA-Factory know no such column."""


class Format(Protocol):
    """A format with its options bound."""

    holds: ClassVar[Holds]

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def columns(self, row: JsonRow, /) -> dict[str, str]:
        """Return, by what they hold, the columns that a row is read from: `{"question": "problem"}`."""
        ...

    def read(self, row: JsonRow, row_id: str, /) -> Sequence[Problem] | Sequence[Trace] | Sequence[Conversation]:
        """Return what a row holds, at least one; `row_id` is its number, for a row that has no id of its own.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        ...


class RecordedFormat(Format, Protocol):
    """A format of problems, or of recorded answers to them, that tells a row's problem without making its answers.

    One that cannot is read whole.
    """

    def outline(self, row: JsonRow, row_id: str, /) -> tuple[Problem, tuple[int, ...]]:
        """Return the problem of a row and the numbers of its answers: what is known of it before its answers are used.

        Raises: ValueError, as `read` does.
        """
        ...


class ConversationFormat(Format, Protocol):
    """A format that is written too."""

    def encode(self, conversation: Conversation, /) -> JsonRow:
        """Return the conversation as a row of the file."""
        ...

    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        ...

    def entry(self, file_name: str, /) -> JsonRow:
        """Return the dataset_info.json entry under which openMind and LLaMA-Factory read the file."""
        ...


def encode_line(conversation_format: ConversationFormat, conversation: Conversation) -> bytes:
    """Return the conversation as a line of the file, without its end."""
    text = json.dumps(conversation_format.encode(conversation), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
