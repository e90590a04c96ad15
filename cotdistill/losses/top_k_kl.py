"""Distribution matching: KL(teacher || student) over the teacher's most probable tokens (Fu et al. 2023).

A token at which the teacher's tokens do not fit the student's learns by cross-entropy, as in `sft`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cotdistill.errors import RecipeFault
from cotdistill.losses import IGNORED, LossBatch, Tensor, TopK
from cotdistill.registry import kind

CHUNK_TOKENS = 512
"""Supervised tokens whose logits exist at a time: 0.3 GB in float32 for a vocabulary of 152k. They are made again for
the gradients."""

TINY = 1e-30
"""Stands for a probability of 0 in a logarithm."""


@kind
@dataclass(frozen=True, kw_only=True)
class TopKKL:
    """KL divergence to the teacher's most probable tokens, where they fit the student's (arXiv 2301.12726).

    Options:
        k: most probable tokens of the teacher that are compared; 5 as in the paper, at most `sample: top_logprobs`
        alpha: share of cross-entropy in the loss of such a token, the rest is the divergence; 0 as in the paper
        logprobs: file of log-probabilities, the `1-sample/logprobs.jsonl` of an earlier run, for a registered
            `dataset` that was made there; default: what this run's teacher recorded
    """

    k: Annotated[int, Field(ge=1, le=20)] = 5
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.0
    logprobs: Path | None = None

    def check(self) -> None:
        """Return if the file of log-probabilities is there. Raises: UserError."""
        if self.logprobs is not None and not self.logprobs.is_file():
            raise RecipeFault(f"no such file: {self.logprobs}", "train.loss.logprobs")

    def __call__(self, batch: LossBatch, /) -> Tensor:
        """Return the sum of the losses of the supervised tokens, each times its weight."""
        from torch.utils.checkpoint import checkpoint

        assert batch.teacher_top_k is not None, "the batches were made for another loss"
        targets_BT = batch.labels_BT[:, 1:]
        is_supervised_BT = targets_BT != IGNORED
        hidden_ND = batch.hidden_BTD[:, :-1][is_supervised_BT]
        targets_N = targets_BT[is_supervised_BT]
        weights_BT = is_supervised_BT.float() if batch.weights_BT is None else batch.weights_BT[:, 1:]
        tensors = (hidden_ND, targets_N, weights_BT[is_supervised_BT], *batch.teacher_top_k)
        parts = [tensor.split(CHUNK_TOKENS) for tensor in tensors]
        return sum(
            weights @ checkpoint(self._losses, batch.head, hidden, targets, TopK(ids, probs), use_reentrant=False)
            for hidden, targets, weights, ids, probs in zip(*parts, strict=True)
        )

    def _losses(self, head: Callable[[Tensor], Tensor], states: Tensor, targets: Tensor, top_k: TopK) -> Tensor:
        """Return the loss of each of a few tokens."""
        ids_NK, probs_NK = top_k
        logits_NV = head(states).float()
        total_N = logits_NV.logsumexp(-1)
        cross_entropy_N = total_N - logits_NV.gather(-1, targets[:, None])[:, 0]
        log_student_NK = logits_NV.gather(-1, ids_NK) - total_N[:, None]
        # 0 log 0 is 0, in the loss and in its gradient.
        log_teacher_NK = probs_NK.clamp_min(TINY).log()
        divergence_N = (probs_NK * (log_teacher_NK - log_student_NK)).sum(-1)
        compared_N = (1 - self.alpha) * divergence_N + self.alpha * cross_entropy_N
        return compared_N.where(probs_NK.sum(-1) > 0, cross_entropy_N)
