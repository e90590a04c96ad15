"""Batches of rows that are filled up to one length."""

from collections.abc import Sequence

import torch

from cotdistill.records import IGNORED
from cotdistill.students import IDS, WEIGHTS, Batch, TrainingRow


class PaddingCollator:
    """Collates token rows: filled on the right, masked by length, in multiples of 8 as matrix units like it."""

    def __init__(self, pad_id: int, *, multiple: int = 8) -> None:
        self.pad_id = pad_id
        self.multiple = multiple

    def __call__(self, rows: Sequence[TrainingRow]) -> Batch:
        """Return ids, mask and labels, each (rows, length of the longest), the ids of the traces, and weights.

        What fills a row up weighs nothing; there are no weights where the rows have none.
        """
        longest = max(len(row.input_ids) for row in rows)
        shape = (len(rows), -(-longest // self.multiple) * self.multiple)
        ids_BT = torch.full(shape, self.pad_id)  # noqa: N806
        labels_BT = torch.full(shape, IGNORED)  # noqa: N806
        mask_BT = torch.zeros(shape, dtype=torch.long)  # noqa: N806
        for number, row in enumerate(rows):
            length = len(row.input_ids)
            ids_BT[number, :length] = torch.tensor(row.input_ids)
            labels_BT[number, :length] = torch.tensor(row.labels)
            mask_BT[number, :length] = 1
        traces = tuple(row.id for row in rows)
        batch: Batch = {"input_ids": ids_BT, "attention_mask": mask_BT, "labels": labels_BT, IDS: traces}
        if all(row.weights is not None for row in rows):
            batch[WEIGHTS] = torch.zeros(shape)
            for number, row in enumerate(rows):
                batch[WEIGHTS][number, : len(row.input_ids)] = torch.tensor(row.weights)
        return batch
