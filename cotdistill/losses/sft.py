"""Supervised fine-tuning: the negative log-likelihood of the answer's tokens."""

from cotdistill.losses import IGNORED, LossBatch, Tensor
from cotdistill.registry import kind


@kind
def sft(batch: LossBatch, /) -> Tensor:
    """Return the summed cross-entropy of each supervised token given all that stands before it."""
    from torch.nn.functional import cross_entropy

    targets_BT = batch.labels_BT[:, 1:]  # noqa: N806
    is_supervised_BT = targets_BT != IGNORED  # noqa: N806
    # Chosen before the head is asked: a row of 4096 tokens and a vocabulary of 152k is 2.3 GiB of float32 logits.
    hidden_ND = batch.hidden_BTD[:, :-1][is_supervised_BT]  # noqa: N806
    logits_NV = batch.head(hidden_ND).float()  # noqa: N806
    return cross_entropy(logits_NV, targets_BT[is_supervised_BT], reduction="sum")
