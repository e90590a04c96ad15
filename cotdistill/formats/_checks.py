"""Reading keys of foreign rows: each complaint names the key, what was expected and what was found."""

from cotdistill.formats import JsonRow
from cotdistill.records import Conversation, Message


def text_at(row: JsonRow, key: str, place: str = "") -> str:
    """Return the text under a key.

    Raises: ValueError.
    """
    name = f"{place}.{key}" if place else key
    if key not in row:
        raise ValueError(f"{name}: is missing; keys here: {', '.join(row) or 'none'}")
    if not isinstance(row[key], str):
        raise ValueError(f"{name}: expected text, found {type(row[key]).__name__}")
    return row[key]  # type: ignore[no-any-return]


def list_at(row: JsonRow, key: str) -> list[object]:
    """Return the list under a key.

    Raises: ValueError.
    """
    if key not in row:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(row) or 'none'}")
    if not isinstance(row[key], list):
        raise ValueError(f"{key}: expected a list, found {type(row[key]).__name__}")
    return row[key]  # type: ignore[no-any-return]


def checked(row_id: str, messages: list[Message], key: str) -> Conversation:
    """Return a conversation whose turns alternate and end with the assistant's.

    Raises: ValueError.
    """
    turns = [m.role for m in messages if m.role != "system"]
    expected = ["user", "assistant"] * (len(turns) // 2)
    if not turns or turns != expected or any(m.role == "system" for m in messages[1:]):
        raise ValueError(
            f"{key}: expected user and assistant in turn, ending with assistant, found {turns or 'nothing'}"
        )
    return Conversation(id=row_id, messages=tuple(messages))
