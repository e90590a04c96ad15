"""What the formats of conversations share."""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from cotdistill.errors import UserError
from cotdistill.formats import Holds, JsonRow
from cotdistill.records import Conversation


@dataclass(frozen=True, kw_only=True)
class Conversations(ABC):
    """A format whose options are the keys of a row and the names of its roles."""

    holds: ClassVar[Holds] = "conversations"

    def check(self) -> None:
        """Raise UserError where two things have one key: one of them would be lost."""
        seen: dict[str, str] = {}
        for option in dataclasses.fields(self):
            # Keys of a turn and names of roles stand elsewhere than the keys of the row.
            if option.name.endswith("_tag"):
                continue
            key = getattr(self, option.name)
            # A layout without such a column has no name for it.
            if not key:
                continue
            if key in seen:
                raise UserError(f"`{seen[key]}` and `{option.name}` have one key, `{key}`", hint="rename one of them")
            seen[key] = option.name

    def columns(self, row: JsonRow, /) -> dict[str, str]:
        """Return, by what they hold, the columns that a row is read from."""
        keys = {o.name: getattr(self, o.name) for o in dataclasses.fields(self) if not o.name.endswith("_tag")}
        return {role: key for role, key in keys.items() if key and row.get(key)}

    def read(self, row: JsonRow, row_id: str, /) -> list[Conversation]:
        """Return the one conversation of a row.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        return [self.decode(row, row_id)]

    @abstractmethod
    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation."""
