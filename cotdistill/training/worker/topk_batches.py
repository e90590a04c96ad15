"""Batches with the teacher's distributions: each row's columns, in the order in which its tokens stand in the batch."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cotdistill.losses import TopK
from cotdistill.students import IDS, Batch, Collator, TrainingRow
from cotdistill.training.prepare.teacher_topk import supervised_ids
from cotdistill.training.prepare.topk_file import TopKFile, TopKRow

TOPK_IDS, TOPK_PROBS = TOPK_KEYS = ("teacher_ids", "teacher_probs")
"""Keys of a batch; its model is not called with them."""


class TopKCollator:
    """Collates rows as another collator does, and adds what the teacher might have said."""

    def __init__(self, collate: Collator, columns: TopKFile) -> None:
        self.collate = collate
        self.columns = columns

    def __call__(self, rows: Sequence[TrainingRow]) -> Batch:
        """Return the batch with (supervised tokens, k) ids, and probabilities as the bits of a float32."""
        batch = self.collate(rows)
        waiting = defaultdict(list)
        for row in rows:
            waiting[row.id].append(row)
        # In the batch's own order; rows of one id, as one that fills a step up without being learned, in turn.
        found = [self._of(waiting[name].pop(0)) for name in batch[IDS]]
        ids_NK, probs_NK = (np.concatenate(part) for part in zip(*found, strict=True))  # noqa: N806
        batch[TOPK_IDS] = torch.from_numpy(ids_NK.astype(np.int64))
        # transformers casts every floating-point input to DeepSpeed's dtype; bfloat16 would keep two digits.
        batch[TOPK_PROBS] = torch.from_numpy(probs_NK.astype(np.float32)).view(torch.int32)
        return batch

    def _of(self, row: TrainingRow) -> TopKRow:
        """Return a row's columns, zeros where it has none."""
        count = len(supervised_ids(row.labels))
        columns = self.columns.find(row.id) if count else None
        if columns is None:
            shape = (count, self.columns.k)
            return TopKRow(np.zeros(shape, np.uint32), np.zeros(shape, np.float32))
        assert len(columns.ids_NK) == count, f"{row.id} has {count} supervised tokens, not {len(columns.ids_NK)}"
        return columns


def read_top_k(batch: dict[str, Any]) -> TopK | None:  # Any: tensors, and the ids
    """Return what a TopKCollator added to a batch; None where none was at work."""
    if TOPK_IDS not in batch:
        return None
    return TopK(batch[TOPK_IDS], batch[TOPK_PROBS].view(torch.float32))
