"""Data sets that a chain starts with: registered conversations, and recorded answers in place of a teacher."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cotdistill.data import BadRows, Catalog, Dataset
from cotdistill.data.blocks import Found
from cotdistill.data.dataset_rows import DatasetRows
from cotdistill.data.identity import Name, question_key
from cotdistill.data.made import made_set
from cotdistill.data.problem_set import ProblemOptions
from cotdistill.data.stored_problems import StoredProblems
from cotdistill.data.task import with_options
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Problem, Record, Trace
from cotdistill.storage.keys import file_content
from cotdistill.storage.ledger_index import LedgerIndex

log = logging.getLogger(__name__)

NOT_ROWS = {"task", "license", "homepage", "local_path", "file_name", "file_sha1"}
"""Keys of an entry that change no row: a file counts by its content, wherever it lies."""

R = TypeVar("R", bound=Record)


def find_recorded(options: ProblemOptions, catalog: Catalog) -> Dataset:
    """Return the set whose answers stand in for a teacher's.

    Raises: UserError: it holds none.
    """
    if made_set(options.dataset, catalog) is not None:
        raise UserError(f"the problems of `{options.dataset}` come without answers", hint="add `teacher: {kind: demo}`")
    dataset = catalog.find(options.dataset, columns=options.columns)
    dataset.check_traces()
    return dataset


class RecordedTraces(DatasetRows):
    """The recorded answers to the problems of a run, in the order of their set; bad rows go to `folder`."""

    def __init__(self, dataset: Dataset, problems: StoredProblems, folder: Path, *, split: str | None) -> None:
        is_whole = problems.is_whole_set
        bad, known = dataset.new_bad_rows(), problems.names
        super().__init__(dataset, "trace", bad=bad, split=split, known=known, ids_are_own=is_whole)
        self._folder = folder
        self._questions: LedgerIndex | None = None
        if not is_whole:
            self._questions = LedgerIndex()
            for problem in problems:
                self._questions.add(question_key(problem), 0)

    def wants(self, found: Found, name: Name) -> bool:  # noqa: ARG002
        """Return whether the question is one of the run's."""
        return self._questions is None or self._questions.find(found.question) is not None

    def finish(self) -> None:
        """Write the bad rows. Raises: UserError, UserErrors where there are more than are allowed."""
        super().finish()
        _note_bad_rows(self.bad, self._folder)


def read_recorded_traces(
    options: ProblemOptions, catalog: Catalog, problems: Sequence[Problem], folder: Path
) -> Iterable[Trace]:
    """Return the recorded answers to these problems, in the order of their set; bad rows go to `folder`.

    Raises: UserError: the set holds none; later, more rows than are allowed cannot be read.
    """
    dataset = find_recorded(options, catalog)
    if isinstance(problems, StoredProblems) and problems.names is not None:
        return RecordedTraces(dataset, problems, folder, split=options.split)
    ids = {problem.id for problem in problems}
    traces = read_traces(dataset, folder, split=options.split)
    return (
        trace.model_copy(update={"problem": with_options(trace.problem)}) for trace in traces if trace.problem.id in ids
    )


def read_traces(dataset: Dataset, folder: Path, *, split: str | None = None) -> Iterator[Trace]:
    """Yield the recorded answers of a set; bad rows go to `folder`.

    Raises: UserError: it holds none, or more rows than are allowed cannot be read.
    """
    bad = dataset.new_bad_rows()
    return _read_noting_bad_rows(dataset.read_traces(split=split, bad=bad), bad, folder, dataset.name)


def read_conversations(dataset: Dataset, folder: Path) -> Iterator[Conversation]:
    """Yield the conversations of a set; bad rows go to `folder`.

    Raises: UserError: more rows than are allowed cannot be read.
    """
    bad = dataset.new_bad_rows()
    return _read_noting_bad_rows(dataset.read_conversations(bad=bad), bad, folder, dataset.name)


def content_key(dataset: Dataset) -> Any:  # Any: JSON values
    """Return what tells the rows of a data set from others: its files' content, and how its entry reads them."""
    said = dataset.entry.model_dump(mode="json", exclude=NOT_ROWS, exclude_defaults=True)
    return {"files": [file_content(path) for path in dataset.files], "entry": said}


def _read_noting_bad_rows(rows: Iterator[R], bad: BadRows, folder: Path, name: str) -> Iterator[R]:
    yield from rows
    if bad.unread:
        log.info("%s: fields that nothing reads: %s", name, bad.unread_said)
    _note_bad_rows(bad, folder)


def _note_bad_rows(bad: BadRows, folder: Path) -> None:
    if bad.found:
        log.warning("%d bad rows are left out, see %s; the first: %s", len(bad.found), folder, bad.found[0].fault)
        bad.write(folder)
