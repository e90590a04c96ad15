"""Where each record of a large file begins, by a 64-bit name: 24 to 48 bytes a record, where a dict takes 150.

An open-addressing hash table in two arrays of 8-byte words. Names are hashes already; two of a million records share
one with a probability of 3e-8.
"""

from array import array

FIRST_SLOTS = 1 << 10
EMPTY = 0

NAME_STEP = 0x9E3779B97F4A7C15
"""Odd and far from any pattern: 2^64 divided by the golden ratio."""
NAMES = (1 << 64) - 1
PRIME = (1 << 64) - 59
"""The largest of 64 bits: all digits of a key count."""


def entry_name(key: str, index: int) -> int:
    """Return the name of a sample of a request, whose key is hex; it is the same in every process."""
    return nth_name(int(key, 16) % PRIME, index)


def nth_name(first: int, index: int) -> int:
    """Return the name of a sample by that of the request's first one."""
    return (first + index * NAME_STEP) & NAMES or 1


class LedgerIndex:
    """Name -> offset; the first offset of a name stays."""

    def __init__(self) -> None:
        self._count = 0
        self._clear(FIRST_SLOTS)

    def __len__(self) -> int:
        """Number of names."""
        return self._count

    def find(self, name: int) -> int | None:
        """Return the offset of a name; None where it is not there."""
        slot = self._slot(name)
        return self._offsets[slot] if self._names[slot] else None

    def add(self, name: int, offset: int) -> int | None:
        """Take in a name, which is not 0; return its offset, and change nothing, where it is there already."""
        slot = self._slot(name)
        if self._names[slot]:
            return self._offsets[slot]
        self._names[slot] = name
        self._offsets[slot] = offset
        self._count += 1
        if 3 * self._count > 2 * len(self._names):
            self._grow()
        return None

    def _slot(self, name: int) -> int:
        """Return where a name is, or would be."""
        names, mask = self._names, self._mask
        slot = name & mask
        while names[slot] not in (EMPTY, name):
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old_names, old_offsets = self._names, self._offsets
        self._clear(2 * len(old_names))
        names, offsets, mask = self._names, self._offsets, self._mask
        for name, offset in zip(old_names, old_offsets, strict=True):
            if name:
                # Not `add`: no name is there twice, and half of the time that a large file takes is spent here.
                slot = name & mask
                while names[slot]:
                    slot = (slot + 1) & mask
                names[slot] = name
                offsets[slot] = offset

    def _clear(self, slots: int) -> None:
        self._names = array("Q", bytes(8 * slots))
        self._offsets = array("Q", bytes(8 * slots))
        self._mask = slots - 1
