"""Batches of pairs: a text that is read, and an answer that is written."""

from collections.abc import Sequence

import torch

from cotdistill.records import IGNORED
from cotdistill.students import IDS, WEIGHTS, Batch, TrainingRow


class PairCollator:
    """Collates token rows whose first supervised token begins the answer; both parts are filled on the right.

    The decoder reads its start token and the answer. Labels stand one place later than transformers' own, as in a
    causal model: what it says at t is the token at t + 1.
    """

    def __init__(self, pad_id: int, *, multiple: int = 8) -> None:
        """`pad_id` is the decoder's start token too, as in T5."""
        self.pad_id = pad_id
        self.multiple = multiple

    def __call__(self, rows: Sequence[TrainingRow]) -> Batch:
        """Return ids and mask, each (rows, longest text), decoder ids, labels and weights, each (rows, longest answer).

        There are no weights where the rows have none.
        """
        parted = [(row, _answer_start(row)) for row in rows]
        texts = [row.input_ids[:start] for row, start in parted]
        batch: Batch = {
            "input_ids": self._filled(texts, self.pad_id),
            "attention_mask": self._filled([[1] * len(text) for text in texts], 0),
            "decoder_input_ids": self._filled(
                [[self.pad_id, *row.input_ids[start:]] for row, start in parted], self.pad_id
            ),
            "labels": self._filled([[IGNORED, *row.labels[start:]] for row, start in parted], IGNORED),
            IDS: tuple(row.id for row in rows),
        }
        if all(row.weights is not None for row in rows):
            batch[WEIGHTS] = self._filled([[0.0, *(row.weights or ())[start:]] for row, start in parted], 0.0)
        return batch

    def _filled(self, parts: Sequence[list[int] | list[float]], filling: float) -> torch.Tensor:
        longest = max(map(len, parts))
        filled_BT = torch.full((len(parts), -(-longest // self.multiple) * self.multiple), filling)  # noqa: N806
        for number, part in enumerate(parts):
            filled_BT[number, : len(part)] = torch.tensor(part)
        return filled_BT


def _answer_start(row: TrainingRow) -> int:
    """Return the place of the first supervised token; a row that only fills a step up has an answer of one token."""
    return next((t for t, label in enumerate(row.labels) if label != IGNORED), len(row.input_ids) - 1)
