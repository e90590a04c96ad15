"""A row that notes which of its fields are looked at, so that what nothing reads has a name.

row = NotedRow({"question": "…", "meta": {"url": "…"}}); row["question"]; list(row.unread()) == ["meta"]
"""

from collections.abc import Iterator
from typing import Any

from cotdistill.data.readers import JsonRow


class NotedRow(dict[str, Any]):  # Any: a foreign JSON row
    """A foreign row; objects in it are such rows too."""

    def __init__(self, row: JsonRow) -> None:
        super().__init__(row)
        self._read: set[object] = set()

    def __getitem__(self, key: str) -> Any:  # Any: a JSON value
        """Return a value, and note that it was looked at."""
        value = super().__getitem__(key)
        if key in self._read:
            return value
        self._read.add(key)
        if isinstance(value, dict | list):
            value = _noted(value)
            super().__setitem__(key, value)
        return value

    def get(self, key: str, default: Any = None) -> Any:  # Any: a JSON value
        """Return a value, the default where there is none, and note that it was looked at."""
        return self[key] if key in self else default  # noqa: SIM401  # this is `get`

    def items(self) -> Any:  # Any: dict's own view
        """Return all keys with their values, each of which is looked at."""
        for key in self:
            self[key]
        return super().items()

    def unread(self, place: str = "") -> Iterator[str]:
        """Yield the fields that hold something and were not looked at: `url`, `messages[].weight`."""
        for key, value in super().items():
            if key in self._read:
                if isinstance(value, NotedRow):
                    yield from value.unread(f"{place}{key}.")
                elif isinstance(value, list):
                    yield from _unread_of(value, f"{place}{key}[].")
            elif value is not None and value not in ("", [], {}):
                yield f"{place}{key}"


def _noted(value: Any) -> Any:  # Any: a JSON value
    if isinstance(value, dict):
        return NotedRow(value)
    return [_noted(item) for item in value] if isinstance(value, list) else value


def _unread_of(items: list[Any], place: str) -> Iterator[str]:  # Any: JSON values
    """Yield the fields of the objects in a list, each once."""
    found: dict[str, None] = {}
    for item in items:
        if isinstance(item, NotedRow):
            found |= dict.fromkeys(item.unread(place))
        elif isinstance(item, list):
            found |= dict.fromkeys(_unread_of(item, place))
    yield from found
