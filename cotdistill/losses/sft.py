"""Supervised fine-tuning: the negative log-likelihood of the answer's tokens."""

from cotdistill.losses import IGNORED, LossBatch, Tensor
from cotdistill.registry import kind


@kind
def sft(batch: LossBatch, /) -> Tensor:
    """Return the sum of each supervised token's cross-entropy given all that stands before it, times its weight."""
    from cotdistill.losses._linear_cross_entropy import summed_cross_entropy

    targets_BT = batch.labels_BT[:, 1:]
    is_supervised_BT = targets_BT != IGNORED
    weights_N = None if batch.weights_BT is None else batch.weights_BT[:, 1:][is_supervised_BT]
    hidden_ND = batch.hidden_BTD[:, :-1][is_supervised_BT]
    return summed_cross_entropy(batch, hidden_ND, targets_BT[is_supervised_BT], weights_N)
