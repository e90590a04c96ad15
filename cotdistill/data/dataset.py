"""A data set: where it is, and its rows as problems, traces or conversations."""

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from cotdistill import registry
from cotdistill.data.bad_rows import BadRows
from cotdistill.data.entry import Entry
from cotdistill.data.hub import hub_names, hub_rows
from cotdistill.data.local_files import local_files, own_copy
from cotdistill.data.options import DataOptions
from cotdistill.data.readers import JsonRow, read_rows
from cotdistill.data.row_layouts import problem_of, traces_of
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Problem, Trace

log = logging.getLogger(__name__)

T = TypeVar("T")


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

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files on disk; none for a set that is read from a hub.

        Raises: UserError where a file that the entry names is not there, or outside of its folder.
        """
        try:
            found = local_files(self.entry, self.root, self.where, allow_outside=self.options.allow_outside)
        except UserError:
            # LLaMA-Factory's entries may name both; a hub goes before a file that is not there.
            if not hub_names(self.entry, self.options.hub):
                raise
            found = ()
        copy = own_copy(self.name, self.root) if not found else None
        return (copy,) if copy else found

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
        if self.entry.is_conversations:
            try:
                registry.make("formats", self.entry.formatting, **self.entry.layout_options())
            except ValueError as error:
                raise UserError(str(error), self.where) from None

    def new_bad_rows(self) -> BadRows:
        """Return an empty list of bad rows with the limit that the recipe sets."""
        return BadRows(self.options.max_bad_rows)

    def rows(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, JsonRow]]:
        """Yield place and object of every row.

        `limit` says how many will be taken at most, so that a hub's set is not downloaded whole. Raises: UserError.
        """
        self.check()
        entry = self.entry
        limits = [number for number in (limit, entry.num_samples) if number is not None]
        if self.files:
            if split is not None and split != entry.split:
                hint = f"this set is read from {self.files[0]}; remove `split:` or register the split's own file"
                raise UserError(f"a file has no split `{split}`", self.where, hint)
            on_bad = bad if bad is not None else BadRows()
            found: Iterator[tuple[str, JsonRow]] = itertools.chain.from_iterable(
                read_rows(path, on_bad=on_bad, names=entry.column_names, is_object=entry.is_object)
                for path in self.files
            )
        else:
            found = hub_rows(
                self.name,
                entry,
                self.where,
                root=self.root,
                hub=self.options.hub,
                split=split,
                limit=min(limits, default=None),
            )
        return itertools.islice(found, entry.num_samples)

    def conversations(self, *, bad: BadRows | None = None) -> Iterator[Conversation]:
        """Yield the rows as conversations.

        Raises: UserError that names file, line and key.
        """
        if not self.entry.is_conversations:
            raise UserError(
                f"holds {self.entry.formatting}, not conversations",
                self.where,
                "set `formatting`, or name it in `problems:` and let `convert` write it",
            )
        self.check()
        for _, conversation in self._decoded(self._conversation_decoder(), bad=bad):
            yield conversation

    def problems(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[Problem]:
        """Yield the problems of a set of problems or of traces, each question once.

        Raises: UserError that names file, line and key.
        """
        self._refuse_conversations()
        seen: set[str] = set()
        doubles = 0
        for _, problem in self._decoded(self._problem_decoder(), split=split, bad=bad, limit=limit):
            if problem.question in seen:
                doubles += 1
                continue
            seen.add(problem.question)
            yield problem
        if doubles and self.entry.formatting != "traces":
            log.warning("%s: %d duplicate questions are asked once", self.name, doubles)

    def traces(
        self, *, split: str | None = None, bad: BadRows | None = None, limit: int | None = None
    ) -> Iterator[Trace]:
        """Yield the recorded answers of a set of traces.

        Raises: UserError that names file, line and key.
        """
        self.check_traces()
        decoded = self._decoded(self._trace_decoder(), split=split, bad=bad, limit=limit)
        return (trace for _, traces in decoded for trace in traces)

    def samples(self, *, bad: BadRows | None = None, limit: int | None = None) -> Iterator["Sample"]:
        """Yield whatever the set holds, with its place: for people who look at it. Raises: UserError."""
        if self.entry.is_conversations:
            for where, conversation in self._decoded(self._conversation_decoder(), bad=bad, limit=limit):
                yield Sample(where, conversation)
        elif self.entry.formatting == "traces":
            for where, traces in self._decoded(self._trace_decoder(), bad=bad, limit=limit):
                yield from (Sample(where, trace) for trace in traces)
        else:
            for where, problem in self._decoded(self._problem_decoder(), bad=bad, limit=limit):
                yield Sample(where, problem)

    def check_traces(self) -> None:
        """Raise UserError where the set holds no answers with their reasoning."""
        self._refuse_conversations()
        if self.entry.formatting != "traces":
            raise UserError(
                "holds problems without a teacher's answers",
                self.where,
                'add a `teacher:` to the recipe, or set `"formatting": "traces"`',
            )

    def _conversation_decoder(self) -> Callable[[JsonRow], Conversation]:
        self.check()
        layout = registry.make("formats", self.entry.formatting, **self.entry.layout_options())
        numbers = itertools.count()

        def decode(row: JsonRow) -> Conversation:
            number = next(numbers)
            return layout.decode(row, str(row.get("id", number)))  # type: ignore[no-any-return]

        return decode

    def _problem_decoder(self) -> Callable[[JsonRow], Problem]:
        ids: dict[str, str] = {}

        def decode(row: JsonRow) -> Problem:
            problem = problem_of(row, self.entry)
            _refuse_shared_id(problem, ids, self.entry)
            return problem

        return decode

    def _trace_decoder(self) -> Callable[[JsonRow], list[Trace]]:
        ids: dict[str, str] = {}

        def decode(row: JsonRow) -> list[Trace]:
            traces = list(traces_of(row, self.entry, source=self.name))
            _refuse_shared_id(traces[0].problem, ids, self.entry)
            return traces

        return decode

    def _refuse_conversations(self) -> None:
        if self.entry.is_conversations:
            raise UserError(
                f"holds conversations ({self.entry.formatting}), not problems",
                self.where,
                'name it in `train: {dataset: …}`, or register it with `"formatting": "traces"`',
            )

    def _decoded(
        self,
        decode: Callable[[JsonRow], T],
        *,
        split: str | None = None,
        bad: BadRows | None = None,
        limit: int | None = None,
    ) -> Iterator[tuple[str, T]]:
        """Yield the place of each row and what `decode` makes of it; what it refuses is a bad row."""
        rejected = bad if bad is not None else self.new_bad_rows()
        for where, row in self.rows(split=split, bad=rejected, limit=limit):
            try:
                value = decode(row)
            except ValueError as error:
                # A bad key leads the message: `question: is missing`.
                rejected(UserError(*_key_apart(str(error), where)), json.dumps(row, default=str))
            else:
                yield where, value
        rejected.check()


def _refuse_shared_id(problem: Problem, ids: dict[str, str], entry: Entry) -> None:
    """Raise ValueError where another question has the problem's id."""
    if ids.setdefault(problem.id, problem.question) != problem.question:
        key = entry.columns.id or "id"
        raise ValueError(f"{key}: expected an id of its own, found `{problem.id}`, which another question has")


def _key_apart(message: str, where: str) -> tuple[str, str]:
    key, colon, rest = message.partition(": ")
    return (rest, f"{where}: {key}") if colon and " " not in key else (message, where)
