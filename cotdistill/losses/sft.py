"""Supervised fine-tuning: the negative log-likelihood of the answer's tokens."""

from cotdistill.losses import IGNORED, Tensor
from cotdistill.registry import kind


@kind
def sft(logits_BTV: Tensor, labels_BT: Tensor, /) -> Tensor:  # noqa: N803
    """Return the summed cross-entropy of each supervised token given all that stands before it."""
    from torch.nn.functional import cross_entropy

    targets_BT = labels_BT[:, 1:]  # noqa: N806
    is_supervised_BT = targets_BT != IGNORED  # noqa: N806
    # Only the supervised positions go to float32: a row of 4096 tokens and a vocabulary of 152k is 2.3 GiB there.
    logits_NV = logits_BTV[:, :-1][is_supervised_BT].float()  # noqa: N806
    return cross_entropy(logits_NV, targets_BT[is_supervised_BT], reduction="sum")
