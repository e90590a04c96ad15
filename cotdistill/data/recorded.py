"""Data sets that a chain starts with: registered conversations, and recorded answers in place of a teacher."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cotdistill.data import BadRows, Catalog, Dataset
from cotdistill.data.problem_set import DEMO, ProblemOptions
from cotdistill.data.task import with_options
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Problem, Record, Trace
from cotdistill.storage.keys import by_content

log = logging.getLogger(__name__)

NOT_ROWS = {"task", "license", "homepage", "local_path", "file_name", "file_sha1"}
"""Keys of an entry that change no row: a file counts by its content, wherever it lies."""

R = TypeVar("R", bound=Record)


def find_recorded(options: ProblemOptions, catalog: Catalog) -> Dataset:
    """Return the set whose answers stand in for a teacher's.

    Raises: UserError: it holds none.
    """
    if options.dataset == DEMO:
        raise UserError("the demo's problems come without answers", hint="add `teacher: {kind: demo}`")
    dataset = catalog.find(options.dataset)
    dataset.check_traces()
    return dataset


def read_recorded_traces(
    options: ProblemOptions, catalog: Catalog, problems: Sequence[Problem], folder: Path
) -> Iterator[Trace]:
    """Yield the recorded answers to these problems, in the order of their set; bad rows go to `folder`.

    Raises: UserError: more rows than are allowed cannot be read.
    """
    by_question = {problem.question: problem for problem in problems}
    for trace in read_traces(find_recorded(options, catalog), folder, split=options.split):
        problem = by_question.get(with_options(trace.problem).question)
        if problem is not None:
            yield trace.model_copy(update={"problem": problem})


def read_traces(dataset: Dataset, folder: Path, *, split: str | None = None) -> Iterator[Trace]:
    """Yield the recorded answers of a set; bad rows go to `folder`.

    Raises: UserError: it holds none, or more rows than are allowed cannot be read.
    """
    bad = dataset.new_bad_rows()
    return _read_noting_bad_rows(dataset.read_traces(split=split, bad=bad), bad, folder)


def read_conversations(dataset: Dataset, folder: Path) -> Iterator[Conversation]:
    """Yield the conversations of a set; bad rows go to `folder`.

    Raises: UserError: more rows than are allowed cannot be read.
    """
    bad = dataset.new_bad_rows()
    return _read_noting_bad_rows(dataset.read_conversations(bad=bad), bad, folder)


def content_key(dataset: Dataset) -> Any:  # Any: JSON values
    """Return what tells the rows of a data set from others: its files' content, and how its entry reads them."""
    said = dataset.entry.model_dump(mode="json", exclude=NOT_ROWS, exclude_defaults=True)
    return {"files": [by_content(str(path)) for path in dataset.files], "entry": said}


def _read_noting_bad_rows(rows: Iterator[R], bad: BadRows, folder: Path) -> Iterator[R]:
    yield from rows
    if bad.found:
        log.warning("%d bad rows are left out, see %s; the first: %s", len(bad.found), folder, bad.found[0].fault)
        bad.write(folder)
