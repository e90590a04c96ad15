"""The problems of a large set as an earlier start of the run has read them: `runs/x/problems/<name>`.

    {"id":"p1","question":"…","gold":"72"}
    …one line for each that is sampled, then for each of the holdout…
    {"sampled":199000,"holdout":1000,"bad":[],"unread":{},"conflicts":[],"repeated":0}

They are those of the same files, options and code, or are read again. What is found out about them is kept beside them.
"""

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from cotdistill.data.bad_rows import BadRow, BadRows
from cotdistill.data.catalog import Catalog
from cotdistill.data.dataset import Dataset
from cotdistill.data.golds import GoldConflict
from cotdistill.data.made import made_set
from cotdistill.data.problem_set import ProblemOptions, ProblemSet
from cotdistill.data.stored_problems import KeptFacts, StoredProblems
from cotdistill.errors import UserError
from cotdistill.records import Problem, Record
from cotdistill.registry import KindOptions, kinds
from cotdistill.storage.encoded import encode
from cotdistill.storage.kept import keep, open_kept
from cotdistill.storage.keys import by_content, code_key, file_sha256, key_of
from cotdistill.storage.spool import RowSpool

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value

KEPT_FROM = 10_000
"""Problems of a set that is kept: fewer are read again within a second."""


class Told(Record):
    """What was found of the set beside its problems."""

    sampled: int
    holdout: int
    bad: tuple[tuple[str, str, str, str], ...]
    """Message, place, hint and text of each bad row."""
    unread: dict[str, int]
    conflicts: tuple[GoldConflict, ...]
    repeated: int


def kept_problems(
    options: ProblemOptions,
    catalog: Catalog,
    read: Callable[[], ProblemSet],
    *,
    folder: Path | None,
    seed: int,
    verifier: KindOptions,
) -> ProblemSet:
    """Return what `read` returns, from `folder` where an earlier start kept it there.

    Nothing is kept where that is None, or inside a folder that is not there: of a run that has not begun.
    `seed` and `verifier` are what it reads with beside the options. Raises: UserError.
    """
    is_whole = options.limit is None and options.run is None and made_set(options.dataset, catalog) is None
    if folder is None or not folder.parent.is_dir() or not is_whole:
        return read()
    dataset = catalog.find(options.dataset, columns=options.columns)
    path = folder / key_of([options.model_dump(mode="json"), seed])[:16]
    key = _key(dataset, options, seed, verifier)
    if key is not None and (file := open_kept(path, key)) is not None:
        found = _stored(file, dataset)
    else:
        found = read()
        # What was changed while it was read is of neither key.
        if len(found.sampled) < KEPT_FROM or key is None or key != _key(dataset, options, seed, verifier):
            return found
        keep(path, key, _lines(found))
    if isinstance(found.sampled, StoredProblems):
        found.sampled.kept = KeptFacts(path, key)
    return found


def _key(dataset: Dataset, options: ProblemOptions, seed: int, verifier: KindOptions) -> str | None:
    """Return what decides the problems of a set; None where that is not all on this disk."""
    try:
        files = [[str(path), file_sha256(path)] for path in dataset.files_of(options.split)]
    except (OSError, UserError):
        return None  # whoever reads it says why
    read_by = code_key(kinds("formats")[dataset.entry.formatting].target, verifier.of_kind.target)
    place, told = [dataset.name, str(dataset.root), dataset.where], dataset.recognition
    guessed = None if told is None else [told.guess, sorted(told.flags), told.ready]
    how = [guessed, dataset.entry.model_dump(mode="json"), dataset.options.model_dump(mode="json")]
    asked = [options.model_dump(mode="json"), seed, by_content(verifier)]
    return key_of([read_by, files, place, how, asked]) if files else None


def _lines(found: ProblemSet) -> Iterator[bytes]:
    rows = found.sampled.encoded() if isinstance(found.sampled, StoredProblems) else map(encode, found.sampled)
    told = Told(
        sampled=len(found.sampled),
        holdout=len(found.holdout),
        bad=tuple((row.fault.message, row.fault.where, row.fault.hint, row.text) for row in found.bad.found),
        unread=found.bad.unread,
        conflicts=found.conflicts,
        repeated=found.repeated,
    )
    for row in chain(rows, map(encode, found.holdout), [encode(told)]):
        yield row + b"\n"


def _stored(file: BinaryIO, dataset: Dataset) -> ProblemSet:
    """Return the problems of a whole file, and say what of their set was not taken as it is."""
    ends = array("Q", [0])
    for line in file:
        ends.append(ends[-1] + len(line))
    spool = RowSpool.of_file(file, ends, Problem)
    # The last two lines are what is told of the set, and the end of the file.
    told = Told.model_validate_json(spool.read_bytes(len(spool) - 2))
    sampled = StoredProblems(spool, range(told.sampled))
    holdout = StoredProblems(spool, range(told.sampled, told.sampled + told.holdout))
    bad = BadRows(dataset.options.max_bad_rows, unread=Counter(told.unread))
    bad.found += [BadRow(UserError(message, where, hint), text) for message, where, hint, text in told.bad]
    found = ProblemSet(sampled, tuple(holdout), bad, told.conflicts, told.repeated)
    found.tell(dataset.name)
    return found
