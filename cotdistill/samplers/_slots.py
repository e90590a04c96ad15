"""Keys and values of a batch whose rows come and go: a slot per row, filled from its first column.

B: rows, H: heads, T: columns, D: width of a head.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin, DynamicLayer

COLUMNS = 256
"""Columns are added so many at a time: a copy of what is there costs as much as a few steps."""


class Slots(Cache):  # type: ignore[misc]  # transformers is not typed
    """The cache of rows 0 to `rows` - 1, each of a length of its own; what is right of a row's end is not read."""

    def __init__(self, most_rows: int) -> None:
        self.layers: list[_SlotLayer]
        super().__init__(layers=[])
        self.most_rows = most_rows
        self.place = _Place()

    def begin_step(self, at_B: torch.Tensor, columns: int) -> None:  # noqa: N803
        """Say in which column the next token of each row goes, and how many columns are read."""
        self.place.at_B = at_B
        self.place.rows_B = torch.arange(len(at_B), device=at_B.device)
        self.place.columns = columns

    def make_room(self, rows: int, columns: int, like: Sequence[DynamicLayer]) -> None:
        """Make the slots as many and as long as they have to be; `like` are the layers of a cache of the same model."""
        if not self.layers:
            self.layers = [_SlotLayer(self.place) for _ in like]
        layer = self.layers[0]
        if rows > layer.shape[0] or columns > layer.shape[1]:
            more = min(self.most_rows, max(rows, 2 * layer.shape[0]))
            shape = max(more, layer.shape[0]), max(-(-columns // COLUMNS) * COLUMNS, layer.shape[1])
            for own, other in zip(self.layers, like, strict=True):
                own.grow(shape, other)

    def fill(self, row: int, source: Sequence[DynamicLayer], source_row: int, length: int) -> None:
        """Copy the first columns of another cache's row into a slot."""
        for own, other in zip(self.layers, source, strict=True):
            own.keys[row, :, :length] = other.keys[source_row, :, :length]
            own.values[row, :, :length] = other.values[source_row, :, :length]

    def move(self, row: int, to: int, length: int) -> None:
        """Copy a slot into another one, whose row is gone."""
        self.fill(to, self.layers, row, length)


class _Place:
    """Where the layers write in this step."""

    def __init__(self) -> None:
        self.rows_B = self.at_B = torch.empty(0, dtype=torch.long)
        self.columns = 0


class _SlotLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers is not typed
    """Keys and values of one layer."""

    def __init__(self, place: _Place) -> None:
        super().__init__()
        self.place = place
        self.shape = (0, 0)

    def grow(self, shape: tuple[int, int], like: Any) -> None:  # Any: a layer of a transformers cache
        """Make room for so many rows and columns; what is there is kept, the rest is zero: a masked NaN is one too."""
        rows, columns = self.shape
        for name in ("keys", "values"):
            other, old = getattr(like, name), getattr(self, name)
            new = other.new_zeros(shape[0], other.shape[1], shape[1], other.shape[3])
            if old is not None:
                new[:rows, :, :columns] = old
            setattr(self, name, new)
        self.shape = shape
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: `grow` did."""

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: object,  # noqa: ARG002
        **kwargs: object,  # noqa: ARG002
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put one column (B, H, 1, D) where it goes and return all that is read (B, H, T, D)."""
        place = self.place
        self.keys[place.rows_B, :, place.at_B] = key_states[:, :, 0]
        self.values[place.rows_B, :, place.at_B] = value_states[:, :, 0]
        count = len(place.rows_B)
        return self.keys[:count, :, : place.columns], self.values[:count, :, : place.columns]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:  # noqa: ARG002
        """Return the columns that are read, and the first one."""
        return self.place.columns, 0

    def get_seq_length(self) -> int:
        """Return the columns before the new one: the mask, not the order, says what a row reads."""
        return self.place.columns - 1

    def get_max_length(self) -> int:
        """Return that there is no longest row."""
        return -1
