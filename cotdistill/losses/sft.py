"""Supervised fine-tuning: the negative log-likelihood of the answer's tokens."""

from cotdistill.losses import IGNORED, LossBatch, Tensor
from cotdistill.registry import kind


@kind
def sft(batch: LossBatch, /) -> Tensor:
    """Return the summed cross-entropy of each supervised token given all that stands before it."""
    from cotdistill.losses._linear_cross_entropy import summed_cross_entropy

    targets_BT = batch.labels_BT[:, 1:]
    is_supervised_BT = targets_BT != IGNORED
    return summed_cross_entropy(batch, batch.hidden_BTD[:, :-1][is_supervised_BT], targets_BT[is_supervised_BT])
