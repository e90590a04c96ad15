"""Conversations -> token files, before any training process starts; made once for the same rows and options.

tokens/<key>/  tokens.bin  parts.bin  rows.bin  ids.bin  lengths.bin (tokens of every conversation)
               dropped.jsonl  shortened.jsonl  prepared.json, written last
"""

import json
import logging
import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cotdistill.engines import Engine
from cotdistill.errors import UserError
from cotdistill.records import Conversation
from cotdistill.storage.jsonl import AtomicFile, write_text
from cotdistill.storage.keys import key_of
from cotdistill.storage.run_folder import DROPPED, SHORTENED
from cotdistill.styles import Style
from cotdistill.training.checks import NO_PARTS, NO_PARTS_HINT
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.on_engine import Tokenizing
from cotdistill.training.prepare.token_row import TokenRow
from cotdistill.training.prepare.tokenfile import Written, write_rows
from cotdistill.training.prepare.tokens import Encoded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)

FINISHED = "prepared.json"
LENGTHS = "lengths.bin"

MAKING = 3
"""Raised when the same conversations come to other token files by a change of this package."""

KEPT = 4
"""Prepared sets that a run keeps: an arm or two, and those before the last change."""


@dataclass(frozen=True)
class Prepared:
    """Token files on disk, and what became of each conversation."""

    folder: Path
    written: Written
    dropped: int
    """Conversations left out as too long."""
    shortened: int
    """Conversations whose rationale was cut in its middle."""

    @property
    def lengths(self) -> "array[int]":
        """Tokens of every conversation, those left out included, before anything was shortened."""
        found = array("q")
        found.frombytes((self.folder / LENGTHS).read_bytes())
        return found

    def check(self, options: TrainOptions) -> None:
        """Raise UserError where nothing is left, or too much was left out; warn of any row that is not whole."""
        lengths = self.lengths
        if not lengths:
            raise UserError("there is nothing to train on", "train", "look into the rejected rows of the stages before")
        if options.weighs_parts and not self.written.rationale_tokens:
            raise UserError(NO_PARTS, "train.loss_weights", NO_PARTS_HINT)
        if self.shortened:
            log.warning(
                "%d of %d rows are longer than cutoff_len %d and lose the middle of their rationale, see %s",
                self.shortened,
                len(lengths),
                options.cutoff_len,
                SHORTENED,
            )
        if not self.dropped:
            return
        enough = sorted(lengths)[-(-len(lengths) * 99 // 100) - 1]
        message = f"{self.dropped} of {len(lengths)} rows are longer than cutoff_len {options.cutoff_len}"
        hint = f"`cutoff_len: {enough}` keeps 99 % of them"
        allowed = 0.0 if options.on_overlong == "raise" else options.max_dropped
        if self.dropped > allowed * len(lengths) or self.dropped == len(lengths):
            raise UserError(f"{message}; at most {allowed:.0%} may be", "train.cutoff_len", hint)
        share = self.dropped / len(lengths)
        log.warning("%s and are left out (%.0f %% of what was there to learn from): %s", message, 100 * share, hint)


def prepare(
    conversations: Iterable[Conversation],
    tokenizer: "PreTrainedTokenizerBase",
    options: TrainOptions,
    *,
    style: Style | None,
    folder: Path,
    data_key: str | None,
    engine: Engine | None = None,
    counted: Callable[[Iterable[Encoded]], Iterable[Encoded]] = iter,
) -> Prepared:
    """Return the token files of these conversations, from `folder` where they are there already.

    `data_key` is what tells these conversations from others; None: nothing does, and they are read again. Memory does
    not grow with the number of rows. `engine` is the cluster that tokenises; None: this machine. `counted` passes on
    what is made of each conversation, and may show how far it is.
    """
    key = _key(tokenizer, options, style, data_key) if data_key else "unnamed"
    place = folder / key
    if data_key and (place / FINISHED).exists():
        log.info("tokens: those of an earlier start are used, %s", place)
        return _read(place)
    fresh = folder / "new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tokenizing = Tokenizing(
        tokenizer,
        options.cutoff_len,
        masks_history=options.mask_history,
        gives_empty_thoughts=options.empty_thought,
        style=style if options.weighs_parts else None,
        shorten_in=style if options.on_overlong == "truncate_rationale" else None,
    )
    rows = tokenizing.rows(conversations, engine)
    counts = {"dropped": 0, "shortened": 0}
    written = write_rows(_note_lost(counted(rows), fresh, counts), fresh)
    write_text(fresh / FINISHED, json.dumps({**written._asdict(), **counts}) + "\n")
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    _forget_oldest(folder)
    return _read(place)


def _note_lost(encoded: Iterable[Encoded], folder: Path, counts: dict[str, int]) -> Iterator[TokenRow]:
    """Yield the rows that are trained on; write every length, and what is left out or shortened with its reason."""
    with (
        (folder / LENGTHS).open("wb") as lengths,
        AtomicFile(folder / DROPPED) as dropped,
        AtomicFile(folder / SHORTENED) as shortened,
    ):
        for row, length, note in encoded:
            array("q", [length]).tofile(lengths)
            if note is not None:
                counts["dropped" if row is None else "shortened"] += 1
                (dropped if row is None else shortened).write_row(note)
            if row is not None:
                yield row


def _key(tokenizer: "PreTrainedTokenizerBase", options: TrainOptions, style: Style | None, data_key: str) -> str:
    """Return the hash of all that the tokens depend on: rows, tokenizer, template and length policy."""
    spelled: Any = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else str(sorted(tokenizer.get_vocab()))
    # Any: the Rust tokenizer has no types
    return key_of(
        [
            MAKING,
            data_key,
            [type(tokenizer).__name__, spelled, tokenizer.chat_template, sorted(tokenizer.all_special_tokens)],
            [str(tokenizer.eos_token), str(tokenizer.unk_token)],
            [options.cutoff_len, options.on_overlong, options.mask_history, options.weighs_parts, repr(style)],
            *([["empty_thought"]] if options.empty_thought else []),
        ]
    )[:12]


def _read(folder: Path) -> Prepared:
    said = json.loads((folder / FINISHED).read_text(encoding="utf-8"))
    counts = {"dropped": said.pop("dropped"), "shortened": said.pop("shortened")}
    return Prepared(folder, Written(**said), **counts)


def _forget_oldest(folder: Path) -> None:
    sets = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in sets[:-KEPT]:
        shutil.rmtree(old)
