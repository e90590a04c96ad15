"""Recorded log-probabilities and token rows -> what the teacher might have said at each supervised token.

topk-<key>/  topk_ids.bin  topk_probs.bin  topk_rows.bin  topk.json, written last:
{"k": 5, "rows": 100, "rows_with_any": 97, "supervised_tokens": 21310, "compared_tokens": 20144}
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.errors import UserError, no_such_file
from cotdistill.losses import IGNORED
from cotdistill.records import Record
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import file_sha256, key_of
from cotdistill.students import TrainingRow
from cotdistill.training.prepare.teacher_tokens import TeacherToken, TeacherTokens
from cotdistill.training.prepare.token_alignment import aligned
from cotdistill.training.prepare.token_bytes import TokenBytes
from cotdistill.training.prepare.tokenfile import TokenFile
from cotdistill.training.prepare.topk_file import TopKRow, write_topk

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)

COUNTS = "topk.json"

MAKING = 1
"""Raised when the same tokens and log-probabilities come to other columns by a change of this package."""

LEAST_KEPT = 0.5
"""Probability that the candidates that are tokens of the student must hold together, of all that are recorded. Below it
the teacher's choice cannot be told in the student's vocabulary, and the token is learned alone."""


class TopKCounts(Record):
    """How much of a training set the teacher's distributions reach."""

    k: int
    rows: int
    rows_with_any: int
    supervised_tokens: int
    compared_tokens: int
    """Supervised tokens with a distribution; the others learn by cross-entropy."""

    def __str__(self) -> str:
        """Return the counts as a line."""
        share = self.compared_tokens / max(self.supervised_tokens, 1)
        return (
            f"{share:.1%} of {self.supervised_tokens:,} supervised tokens, in {self.rows_with_any:,} of {self.rows:,} "
            f"rows, have the teacher's top {self.k}; the others learn by cross-entropy"
        )


@dataclass(frozen=True)
class TeacherTopK:
    """Columns on disk, beside the token rows."""

    folder: Path
    counts: TopKCounts


def prepare_topk(tokens: Path, tokenizer: "PreTrainedTokenizerBase", logprobs: Path | None, *, k: int) -> TeacherTopK:
    """Return the columns of the token rows in a folder, made there unless they stand.

    `logprobs` is the file of the teacher's log-probabilities. Raises: UserError: there is none, or it reaches no row.
    """
    if logprobs is None:
        raise UserError(
            "the rows come without the teacher's log-probabilities",
            "train.loss",
            "`logprobs:` names a logprobs.jsonl that an earlier run's `sample` wrote",
        )
    if not logprobs.is_file():
        raise no_such_file(logprobs)
    place = tokens / f"topk-{key_of([MAKING, k, file_sha256(logprobs)])[:12]}"
    if not (place / COUNTS).exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        rows = TokenFile(tokens)
        log.info("the teacher's tokens are laid beside the student's in %d rows", len(rows))
        made = _Columns(rows, TokenBytes(tokenizer), TeacherTokens(logprobs), k)
        write_topk(made, place)
        write_text(place / COUNTS, made.counts.model_dump_json() + "\n")
    counts = TopKCounts.model_validate_json((place / COUNTS).read_bytes())
    if not counts.compared_tokens:
        raise UserError(
            f"none of the {counts.rows:,} rows has log-probabilities that fit its tokens",
            str(logprobs),
            "the server did not give them, or they are those of other answers",
        )
    log.info("%s", counts)
    return TeacherTopK(place, counts)


class _Columns:
    """The columns of all rows, made as they are gone through; then `counts` says how many."""

    def __init__(self, rows: TokenFile, vocabulary: TokenBytes, teacher: TeacherTokens, k: int) -> None:
        self.rows, self.vocabulary, self.teacher, self.k = rows, vocabulary, teacher, k
        self.counts = TopKCounts(k=k, rows=len(rows), rows_with_any=0, supervised_tokens=0, compared_tokens=0)

    def __iter__(self) -> Iterator[tuple[str, TopKRow]]:
        """Yield id and columns of each row with any."""
        supervised = compared = with_any = 0
        for number in range(len(self.rows)):
            row = self.rows[number]
            columns = top_k(row, self.teacher.find(row.id), self.vocabulary, k=self.k)
            found = int((columns.probs_NK.sum(-1) > 0).sum())
            supervised += len(columns.ids_NK)
            compared += found
            if found:
                with_any += 1
                yield row.id, columns
        changes = {"rows_with_any": with_any, "supervised_tokens": supervised, "compared_tokens": compared}
        self.counts = self.counts.model_copy(update=changes)


def supervised_ids(labels: Sequence[int]) -> list[int]:
    """Return the supervised tokens of a row that have something before them: those that a loss asks for."""
    return [label for label in labels[1:] if label != IGNORED]


def top_k(row: TrainingRow, teacher: list[TeacherToken], vocabulary: TokenBytes, *, k: int) -> TopKRow:
    """Return the teacher's distribution at each supervised token of a row, zeros where it does not fit.

    Of the k most probable candidates, those that are not one token of the student are left out, and the probabilities
    of the others are scaled to sum to 1: the paper takes the recorded ones for the whole distribution too, and a share
    for "any other token" would say nothing of which.
    """
    import numpy as np

    labels = supervised_ids(row.labels)
    texts = vocabulary.of(labels)
    found = TopKRow(np.zeros((len(labels), k), np.uint32), np.zeros((len(labels), k), np.float32))
    if not teacher:
        return found
    for place, number in enumerate(aligned([token.text for token in teacher], texts)):
        if number is None:
            continue
        said = teacher[number].most_probable(k)
        # What was said is this token, by whatever id the student writes it.
        ids = [labels[place] if text == texts[place] else vocabulary.find(text) for text, _ in said]
        kept = [(token, p) for token, (_, p) in zip(ids, said, strict=True) if token is not None]
        mass = sum(p for _, p in kept)
        if mass > 0 and mass >= LEAST_KEPT * sum(p for _, p in said):
            for column, (token, p) in enumerate(kept):
                found.ids_NK[place, column], found.probs_NK[place, column] = token, p / mass
    return found
