"""The rows of a whole data set, in blocks; what compares rows is settled where all of them pass by.

Ids that two questions share are found by 64-bit hashes: 25 to 48 bytes of memory a row.
"""

import itertools
import json
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cotdistill.data.bad_rows import BadRows, row_fault
from cotdistill.data.blocks import Bad, DatasetBlock, Each, Finding, Found, LineBlock, ObjectBlock, Unread, ignore
from cotdistill.data.dataset import Dataset
from cotdistill.data.identity import AS_IT_IS, Name, RowNames
from cotdistill.data.readers import JsonRow, has_row_a_line
from cotdistill.errors import UserError
from cotdistill.storage.blocks import BLOCK_ROWS, line_blocks


class DatasetRows:
    """The problems or the traces of a whole data set, in blocks."""

    def __init__(
        self,
        dataset: Dataset,
        each: Each,
        *,
        bad: BadRows,
        split: str | None = None,
        known: RowNames | None = None,
        ids_are_own: bool = False,
    ) -> None:
        """`known` are the names of the rows, from an earlier reading.

        `ids_are_own` says that no two questions of the set are known to share an id.
        """
        self.dataset = dataset
        self.bad = bad
        self.names = RowNames()
        """Of the rows that are settled."""
        self._known = known
        self._each: Each = each
        self._split = split
        self._pending: deque[DatasetBlock] = deque()
        self._settled = 0
        self._identities = None if ids_are_own else dataset.new_identities()
        self.shared_ids = 0
        """Rows whose id another question has."""

    def blocks(self) -> Iterator[DatasetBlock]:
        """Yield the rows in order. Raises: UserError."""
        for number, block in enumerate(self._blocks()):
            if self._known is not None:
                block.names = self._known.of_block(number)
            block.is_told_apart = self._identities is None
            self._pending.append(block)
            yield block

    def settle(self, findings: Sequence[Finding]) -> list[bool]:
        """Return which values of the next block are wanted. Raises: UserErrors where too many rows are bad."""
        block = self._pending.popleft()
        wanted: list[bool] = []
        for found in findings:
            if isinstance(found, Bad):
                self.bad(*found)
            elif isinstance(found, Unread):
                self.bad.unread.update(found.rows)
            else:
                name = self._own_name(found, block)
                if name is not None:
                    self.names.add(self._settled, found.row, name)
                wanted += [name is not None and self.wants(found, name)] * found.size
        self._settled += 1
        return wanted

    def wants(self, found: Found, name: Name) -> bool:  # noqa: ARG002
        """Return whether a row is wanted that is well: every one."""
        return True

    def finish(self) -> None:
        """Return if no more rows are bad than may be. Raises: UserError, UserErrors."""
        self.bad.check()

    def __iter__(self) -> Iterator[Any]:  # Any: problems or traces
        """Yield what is wanted, read in this process. Raises: UserError, UserErrors."""
        for block in self.blocks():
            values = list(block.rows())
            yield from itertools.compress(values, self.settle(block.findings))
        self.finish()

    def _own_name(self, found: Found, block: DatasetBlock) -> Name | None:
        """Return the name of a row; None where another question has its id, and the row is a bad one."""
        if self._identities is None:
            return AS_IT_IS
        name = self._identities.name(found.identity)
        if name is None:
            self.shared_ids += 1
            where, row_id, row = next(itertools.islice(block.objects(ignore), found.row, None))
            fault = self._identities.shared_id(block.read(row, row_id)[0])
            self.bad(row_fault(fault, where), json.dumps(row, default=str))
        return name

    def _blocks(self) -> Iterator[DatasetBlock]:
        common = self.dataset.layout, self._each, self.dataset.recognition
        self.dataset.check()
        files = self.dataset.files_of(self._split)
        if files and all(map(_is_lines, files)) and self.dataset.has_plain_rows:
            for path in files:
                for first, data in line_blocks(path):
                    yield LineBlock(*common, path, first, data)
            return
        noted = _Noted()
        for number, (where, row) in enumerate(self.dataset.read_rows(split=self._split, bad=noted)):
            noted.held.append((where, str(row.get("id", number)), row))
            if len(noted.held) == BLOCK_ROWS:
                yield ObjectBlock(*common, noted.take())
        if noted.held:
            yield ObjectBlock(*common, noted.take())


class _Noted(BadRows):
    """Notes bad rows between the others, so that they are counted in the order of the file."""

    held: list[tuple[str, str, JsonRow] | Bad]

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def __call__(self, fault: UserError, text: str) -> None:
        """Note a bad row."""
        self.held.append(Bad(fault, text))

    def take(self) -> list[tuple[str, str, JsonRow] | Bad]:
        """Return what was noted since the last time."""
        taken, self.held = self.held, []
        return taken


def _is_lines(path: Path) -> bool:
    """Return whether a file certainly holds one object a line."""
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip()
        return head.startswith(b"{") and b"\r" not in head.replace(b"\r\n", b"") and has_row_a_line(path)
    except (OSError, UserError):
        return False  # whoever reads it says why
