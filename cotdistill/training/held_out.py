"""Rows that are set aside to be looked at while training: `val_size` of them, drawn by seed, whole problems at a time.

tokens/<key>-held-out/  tokens.bin rows.bin ids.bin (what is learned from)  evaluation/ (the same files of the others)
"""

import json
import logging
import math
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cotdistill.errors import UserError
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import draw
from cotdistill.training.prepare.prepare import FINISHED, Prepared
from cotdistill.training.prepare.tokenfile import FILES, TokenFile, write_rows

log = logging.getLogger(__name__)

EVALUATION = "evaluation"
SAMPLE_INDEX = re.compile(r"/\d+$")
"""End of a row's id where several rows answer one problem: `<problem id>/<sample index>`."""


def hold_out(prepared: Prepared, size: float, *, seed: int) -> Prepared:
    """Return the rows to learn from, with those held out in a folder of their own in theirs.

    `size` below 1 is a share of the rows, else their number; the last problem is held out whole, whatever it has.
    Raises: UserError: nothing would be left to learn from.
    """
    rows = TokenFile(prepared.folder)
    chosen = choose([rows[number].id for number in range(len(rows))], size, seed=seed)
    if len(chosen) == len(rows):
        raise UserError(
            f"{size:g} holds out all {len(rows)} rows, as whole problems stay together",
            "train.val_size",
            "hold out less, or name an `eval_dataset`",
        )
    place = prepared.folder.with_name(f"{prepared.folder.name}-held-out")
    shutil.rmtree(place, ignore_errors=True)
    (place / EVALUATION).mkdir(parents=True)
    write_rows((rows[number] for number in sorted(chosen)), place / EVALUATION)
    written = write_rows((rows[number] for number in range(len(rows)) if number not in chosen), place)
    for path in prepared.folder.iterdir():
        if path.is_file() and path.name not in (*FILES, FINISHED):
            link(path, place / path.name)
    counts = {"dropped": prepared.dropped, "shortened": prepared.shortened}
    write_text(place / FINISHED, json.dumps({**written._asdict(), **counts}) + "\n")
    log.info("%d of %d rows are held out to be looked at on the way", len(chosen), len(rows))
    return replace(prepared, folder=place, written=written)


def choose(ids: Sequence[str], size: float, *, seed: int) -> frozenset[int]:
    """Return the numbers of the rows to hold out: those of the first problems, by hash of seed and id."""
    wanted = math.ceil(size * len(ids)) if size < 1 else int(size)
    problems: dict[str, list[int]] = {}
    for number, row_id in enumerate(ids):
        problems.setdefault(SAMPLE_INDEX.sub("", row_id), []).append(number)
    chosen: set[int] = set()
    for problem in sorted(problems, key=lambda problem: draw(seed, "held out", problem)):
        if len(chosen) >= wanted:
            break
        chosen.update(problems[problem])
    return frozenset(chosen)


def link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
