"""A data set: where it is, and its rows as problems, traces or conversations."""

import itertools
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill import registry
from cotdistill.data.bad_rows import BadRows, row_fault
from cotdistill.data.entry import Entry
from cotdistill.data.hub import hub_names, read_hub_rows
from cotdistill.data.identity import Identities, identity_of, problem_in
from cotdistill.data.local_files import ALL, NoSplit, local_files, own_copy
from cotdistill.data.noted_row import NotedRow
from cotdistill.data.options import DataOptions
from cotdistill.data.readers import JsonRow, read_rows
from cotdistill.data.recognition import Recognition
from cotdistill.data.registration import columns_hint, entry_hint, other_entry, pair_columns
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Problem, Trace
from cotdistill.storage.ledger_index import LedgerIndex

log = logging.getLogger(__name__)

SAMPLE_ROWS = 100
"""Rows by which it is told what a file holds, and from which columns."""


class Sample(NamedTuple):
    """One thing that a set holds, and where it stands."""

    where: str
    value: Problem | Trace | Conversation


@dataclass(frozen=True)
class Dataset:
    """A data set, found and not yet read."""

    name: str
    entry: Entry
    where: str
    """`file:line: name` of the entry, for messages."""
    root: Path
    """Folder that `local_path` is relative to."""
    options: DataOptions = field(default_factory=DataOptions)
    recognition: Recognition | None = None
    """What a file was told by that no registry names; None for an entry."""

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files on disk, of all splits; none for a set that is read from a hub.

        Raises: UserError where a file that the entry names is not there, or outside of its folder.
        """
        return self.files_of(ALL)

    def files_of(self, split: str | None) -> tuple[Path, ...]:
        """Return the files of a split; None: of the entry's, or of `train` where a folder has several; `all`: of each.

        Raises: UserError where a file that the entry names is not there, or outside of its folder, or has no splits.
        """
        outside = self.options.allow_outside
        try:
            found = local_files(self.entry, self.root, self.where, allow_outside=outside, split=split)
        except NoSplit:
            raise
        except UserError:
            # LLaMA-Factory's entries may name both; a hub goes before a file that is not there.
            if not hub_names(self.entry, self.options.hub):
                raise
            found = ()
        return found or own_copy(self.name, self.entry, self.root, self.where, split=split)

    def check(self) -> None:
        """Raise UserError where the data set certainly cannot be read."""
        if not self.files and not hub_names(self.entry, self.options.hub):
            elsewhere = hub_names(self.entry, "auto")
            raise UserError(
                f"has no name on {self.options.hub}" if elsewhere else "names no place",
                self.where,
                "add `ms_hub_url` or `hf_hub_url`, or another `data: {hub: …}`"
                if elsewhere
                else "add `local_path` and `file_name`, or `hf_hub_url`",
            )
        try:
            self.layout.check()
        except ValueError as error:
            raise UserError(str(error), self.where) from None
        except UserError as error:
            raise UserError(error.message, self.where, error.hint) from None

    def new_bad_rows(self) -> BadRows:
        """Return an empty list of bad rows with the limit that the recipe sets."""
        return BadRows(self.options.max_bad_rows)

    def read_rows(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, JsonRow]]:
        """Yield place and object of every row.

        `limit` says how many will be taken at most, so that a hub's set is not downloaded whole. Raises: UserError.
        """
        self.check()
        entry = self.entry
        limits = [number for number in (limit, entry.num_samples) if number is not None]
        if files := self.files_of(split):
            found = self._rows_of(files, bad if bad is not None else BadRows())
        else:
            found = read_hub_rows(
                self.name,
                entry,
                self.where,
                root=self.root,
                hub=self.options.hub,
                split=split,
                limit=min(limits, default=None),
            )
        return itertools.islice(found, entry.num_samples)

    def _rows_of(self, files: Sequence[Path], bad: BadRows) -> Iterator[tuple[str, JsonRow]]:
        """Yield the rows of these files. Raises: UserError where they hold none, good or bad."""
        rows = 0

        def on_bad(fault: UserError, text: str) -> None:
            nonlocal rows
            rows += 1
            bad(fault, text)

        for path in files:
            for row in read_rows(path, on_bad=on_bad, names=self.entry.column_names, is_object=self.entry.is_object):
                rows += 1
                yield row
        if not rows:
            raise UserError("is empty: it holds no rows", ", ".join(map(str, files)), "was it written to the end?")

    def read_conversations(self, *, bad: BadRows | None = None) -> Iterator[Conversation]:
        """Yield the rows as conversations.

        Raises: UserError that names file, line and key.
        """
        if not self.entry.is_conversations:
            raise UserError(
                f"holds {self.entry.holds}, not conversations",
                self.where,
                self._hint("conversations", "set `formatting`, or name it in `problems:` and let `convert` write it"),
            )
        for _, values in self._read_values(bad=bad):
            yield from values

    def read_problems(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[Problem]:
        """Yield the problems of a set of problems or of traces, each question once, by the first row that asks it.

        Raises: UserError that names file, line and key.
        """
        seen, repeated, others = LedgerIndex(), 0, list[str]()
        for problem in self.read_each_problem(split=split, bad=bad, limit=limit):
            row = identity_of(problem)
            first = seen.find(row.question)
            if first is None:
                seen.add(row.question, row.gold)
                yield problem
                continue
            repeated += 1
            others += [problem.id] * (first != row.gold)
        if repeated and self.entry.holds != "traces":
            log.warning("%s: %d duplicate question%s, asked once", self.name, repeated, "s" * (repeated > 1))
        if others:
            said = "%s: %d rows have another gold answer than the first one of their question, which counts: problem %s"
            log.warning(said, self.name, len(others), others[0])

    def read_each_problem(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[Problem]:
        """Yield the problem of every row; rows of one problem have one id.

        Raises: UserError that names file, line and key.
        """
        self.check_problems()
        return (problem_in(values[0]) for _, values in self._read_values(split=split, bad=bad, limit=limit))

    def read_traces(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[Trace]:
        """Yield the recorded answers of a set of traces.

        Raises: UserError that names file, line and key.
        """
        self.check_traces()
        return (trace for _, traces in self._read_values(split=split, bad=bad, limit=limit) for trace in traces)

    def read_samples(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator["Sample"]:
        """Yield whatever the set holds, with its place: for people who look at it. Raises: UserError."""
        for where, values in self._read_values(split=split, bad=bad, limit=limit):
            yield from (Sample(where, value) for value in values)

    def columns(self) -> dict[str, Counter[str]]:
        """Return, by what it holds, which column the first rows are read from, and how many of them.

        Raises: UserError.
        """
        self.check()
        found: dict[str, Counter[str]] = {}
        for _, row in itertools.islice(self.read_rows(bad=BadRows(SAMPLE_ROWS), limit=SAMPLE_ROWS), SAMPLE_ROWS):
            for role, column in self.layout.columns(row).items():
                found.setdefault(role, Counter())[column] += 1
        return found

    def check_traces(self) -> None:
        """Raise UserError where the set holds no answers with their reasoning."""
        self.check_problems()
        if self.entry.holds != "traces":
            raise UserError(
                "holds problems without a teacher's answers",
                self.where,
                self._hint("traces", 'add a `teacher:` to the recipe, or set `"formatting": "traces"`'),
            )

    @property
    def has_plain_rows(self) -> bool:
        """Whether each row of its files is a row of the set: all of them, and the files are no one object."""
        return self.entry.num_samples is None and not self.entry.is_object

    @cached_property
    def layout(self) -> Any:  # Any: a Format, which stands on a layer above
        """What reads a row."""
        return registry.make("formats", self.entry.formatting, **self.entry.format_options(source=self.name))

    def new_identities(self) -> Identities:
        """Return what names the rows of the set, none of which was seen yet."""
        return Identities(self.entry.columns.id or "id")

    def _row_reader(self) -> Callable[[JsonRow], Sequence[Any]]:  # Any: what the format holds
        """Return what reads a row; it refuses an id that two questions share."""
        self.check()
        layout, numbers, ids = self.layout, itertools.count(), self.new_identities()

        def read(row: JsonRow) -> Sequence[Any]:  # Any: what the format holds
            number = next(numbers)
            values: Sequence[Any] = layout.read(row, str(row.get("id", number)))
            return values if isinstance(values[0], Conversation) else ids.named(values)

        return read

    def check_problems(self) -> None:
        """Raise UserError where the set holds neither problems nor traces."""
        if self.entry.is_conversations:
            message = f"holds conversations ({self.entry.formatting}), not problems"
            if self.recognition is not None and (columns := pair_columns(self.entry)):
                raise UserError(message, self.where, columns_hint(self.name, columns))
            raise UserError(
                message,
                self.where,
                self._hint("traces", 'name it in `train: {dataset: …}`, or register it with `"formatting": "traces"`'),
            )

    def _hint(self, wanted: str, otherwise: str) -> str:
        """Return the entry under which a file without one holds what is wanted, and how to write it."""
        first = next(self.read_rows(), None) if self.recognition is not None else None
        other = other_entry(self.name, self.entry, wanted, first[1]) if first else None
        return entry_hint(self.name, other) if other else otherwise

    def _read_values(
        self,
        *,
        split: str | None = None,
        bad: BadRows | None = None,
        limit: int | None = None,
    ) -> Iterator[tuple[str, Sequence[Any]]]:  # Any: what the format holds
        """Yield the place of each row and what it holds; one that cannot be read is a bad row."""
        read = self._row_reader()
        rejected = bad if bad is not None else self.new_bad_rows()
        for where, foreign in self.read_rows(split=split, bad=rejected, limit=limit):
            row = NotedRow(foreign)
            try:
                values = read(row)
                if self.recognition is not None and (other := self.recognition.fault(foreign)):
                    raise ValueError(other)
            except ValueError as error:
                # A bad key leads the message: `question: is missing`.
                rejected(row_fault(str(error), where), json.dumps(row, default=str))
            else:
                rejected.unread.update(row.unread())
                yield where, values
        rejected.check()
