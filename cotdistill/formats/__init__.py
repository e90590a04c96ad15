"""File layouts of conversations: one module, one layout.

A format is a frozen dataclass that writes a conversation as a JSON row, reads it back, and describes the file in
the terms of dataset_info.json. `format.decode(format.encode(conversation), id) == conversation`.
"""

from typing import Any, Protocol

from cotdistill.records import Conversation

JsonRow = dict[str, Any]  # Any: a foreign JSON row


class Format(Protocol):
    """A format with its options bound."""

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
