"""Batches of rows that lie end to end: no padding, no mask."""

from collections.abc import Sequence
from itertools import accumulate

import torch

from cotdistill.records import IGNORED
from cotdistill.students import IDS, WEIGHTS, Batch, TrainingRow


class EndToEndCollator:
    """Collates token rows into one: positions begin at 0 with each, and its first token is never supervised."""

    def __call__(self, rows: Sequence[TrainingRow]) -> Batch:
        """Return ids, positions and labels, each (1, tokens of all rows), their bounds, and the ids of the traces.

        Bounds go by transformers' names for FlashAttention: `cu_seq_lens_q` and `cu_seq_lens_k` (rows + 1) int32,
        `max_length_q` and `max_length_k` the tokens of the longest row. There are weights where the rows have them.
        """
        lengths = [len(row.input_ids) for row in rows]
        bounds = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)
        batch: Batch = {
            "input_ids": torch.tensor([[token for row in rows for token in row.input_ids]]),
            "position_ids": torch.tensor([[place for length in lengths for place in range(length)]]),
            "labels": torch.tensor([[label for row in rows for label in (IGNORED, *row.labels[1:])]]),
            "cu_seq_lens_q": bounds,
            "cu_seq_lens_k": bounds,
            "max_length_q": max(lengths),
            "max_length_k": max(lengths),
            IDS: tuple(row.id for row in rows),
        }
        if all(row.weights is not None for row in rows):
            batch[WEIGHTS] = torch.tensor([[weight for row in rows for weight in row.weights or ()]])
        return batch
