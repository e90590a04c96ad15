"""The loss where the logits would be made: inside the call of the model's head, so that no others ever exist.

In a training step the head (the module of `get_output_embeddings`) answers its hidden states with the summed loss,
a scalar in the place of logits. As it is the module's own call, DDP, ZeRO-2 and ZeRO-3 see nothing unusual: ZeRO-3
gathers the head's weights before it and releases them after it, forwards and backwards.

A model that changes logits behind its head (Gemma 2 caps them, Cohere scales them) is known by a probe, and its loss
is computed from the logits that it returns.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, Trainer

from cotdistill.losses import IGNORED, LinearHead, Loss, LossBatch, Tensor, TopK
from cotdistill.students import IDS, WEIGHTS
from cotdistill.training.worker.topk_batches import TOPK_KEYS, read_top_k

log = logging.getLogger(__name__)

PROBE_TOKENS = 4
PROBE_LARGEST = 100.0
"""Logits of the probe go from minus this to this: beyond all caps in use (30), whatever the weights are."""

Forward = Callable[[Tensor], Tensor]


class MeanLoss:
    """A loss per supervised token of the whole optimiser step over all ranks, as transformers' Trainer asks for it.

    Where tokens have weights it is the weighted mean, so a weight of 0 is a token that is not there.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.step_tokens: Tensor = torch.tensor(0)
        """Supervised tokens of the present optimiser step, over all ranks."""
        self.step_weight: Tensor | None = None
        """Sum of their weights; None where all count alike."""
        self.ids: tuple[str, ...] = ()
        """Trace ids of the present micro-step."""
        self.teacher_top_k: TopK | None = None
        """The teacher's distributions in it, where the loss asks for them."""
        self.weights: Tensor | None = None
        """Weights of the tokens of the present micro-step, (B, T)."""
        self.positions: Tensor | None = None
        """Places of its tokens in their rows, where these lie end to end."""

    def take_columns(self, batch: dict[str, Any]) -> dict[str, Any]:  # Any: tensors, and the ids
        """Note what of a batch is the loss's own, and return the rest: labels, and what the model is called with."""
        self.ids, self.weights, self.teacher_top_k = tuple(batch[IDS]), batch.get(WEIGHTS), read_top_k(batch)
        self.positions = batch.get("position_ids")
        return {name: value for name, value in batch.items() if name not in {IDS, WEIGHTS, *TOPK_KEYS}}

    @contextlib.contextmanager
    def at(self, head: nn.Module, labels: Tensor) -> Iterator[None]:
        """Let the head answer one forward of the model with the summed loss of the present micro-step."""
        ask: Forward = head.forward

        def summed_loss(hidden: Tensor) -> Tensor:
            # Here and not above: only within the head's call are its weights whole under ZeRO-3.
            return self._of(hidden, ask, labels, _linear(head, ask))

        with forward_of(head, summed_loss):
            yield

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor) -> Tensor:  # Any: ModelOutput
        """Return this micro-step's part of the mean over the optimiser step."""
        self.step_tokens = num_items_in_batch
        summed = self.summed(outputs, labels)
        if self.step_weight is None:
            return summed / num_items_in_batch
        # A step whose tokens all weigh 0 has nothing to learn.
        return summed / self.step_weight.clamp(min=torch.finfo(torch.float32).tiny)

    def summed(self, outputs: Any, labels: Tensor) -> Tensor:  # Any: ModelOutput
        """Return the summed loss, which the head may have formed already."""
        found: Tensor = outputs.logits
        return found if found.dim() == 0 else self._of(found, _as_it_is, labels)

    def _of(self, hidden: Tensor, head: Forward, labels: Tensor, linear: LinearHead | None = None) -> Tensor:
        return self.loss(
            LossBatch(
                hidden,
                head,
                labels,
                self.ids,
                linear=linear,
                teacher_top_k=self.teacher_top_k,
                weights_BT=self.weights,
                positions_BT=self.positions,
            )
        )


def learning_by(trainer: type[Trainer]) -> type[Trainer]:
    """Return the trainer with micro-steps that tell its MeanLoss what they learn from, and let the head use it."""

    class LossBatchTrainer(trainer):  # type: ignore[misc]  # transformers is not typed
        is_probed = False
        head: nn.Module | None = None

        def compute_loss(
            self,
            model: nn.Module,
            inputs: dict[str, Any],  # Any: tensors, and the ids
            return_outputs: bool = False,
            num_items_in_batch: Tensor | None = None,
        ) -> Any:  # Any: a scalar, or with the model's outputs
            """Return the loss of a micro-step."""
            mean_loss: MeanLoss = self.compute_loss_func
            given = mean_loss.take_columns(inputs)
            if not self.is_probed:
                self._probe(model, given)
            is_at_head = self.head is not None and model.training
            with mean_loss.at(self.head, given["labels"]) if is_at_head else contextlib.nullcontext():
                return super().compute_loss(model, given, return_outputs, num_items_in_batch)

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> Any:
            # Any: an iterator of batches; some batches, and the supervised tokens in those of all ranks
            """Take the batches of an optimiser step, and note the weight of their tokens over all ranks."""
            batches, tokens = super().get_batch_samples(epoch_iterator, num_batches, device)
            weights = [_weight_of(batch) for batch in batches if WEIGHTS in batch]
            summed = torch.stack(weights).sum().to(device) if weights else None
            self.compute_loss_func.step_weight = None if summed is None else self.accelerator.gather(summed).sum()
            return batches, tokens

        def _run_epoch(self, *args: object, **kwargs: object) -> None:
            """Do nothing after the last step: transformers would do one more when it resumes from that one."""
            if self.state.global_step < self.state.max_steps:
                super()._run_epoch(*args, **kwargs)

        def _probe(self, model: nn.Module, inputs: dict[str, Tensor]) -> None:
            """Find out once where the loss is computed; every rank is here at its first micro-step."""
            # A replica of DataParallel would ask the first device's head; torch.compile would compile at every step.
            if self.args.n_gpu <= 1 and not self.args.torch_compile:
                self.head = bare_head(model, self.accelerator.unwrap_model(model), inputs)
            self.is_probed = True
            log.info("logits are made of %s", "supervised tokens alone" if self.head is not None else "all tokens")

    return LossBatchTrainer


def bare_head(
    model: nn.Module,
    unwrapped: PreTrainedModel,
    inputs: Mapping[str, Any],  # Any: tensors and numbers
) -> nn.Module | None:
    """Return the module whose output is the model's logits, unchanged; None where there is none.

    Told by a forward of a few tokens of `inputs`, in which the head answers with numbers that any change would show.
    Under ZeRO-3 all ranks must call it.
    """
    head = unwrapped.get_output_embeddings()
    if head is None:
        return None
    ask: Forward = head.forward
    told: list[Tensor] = []

    def answer(hidden: Tensor) -> Tensor:
        logits = ask(hidden)
        numbers = torch.linspace(-PROBE_LARGEST, PROBE_LARGEST, logits.shape[-1], device=logits.device)
        told.append(numbers.expand_as(logits))
        return numbers.expand_as(logits).clone()  # a model may change it in place

    given = {name: value for name, value in inputs.items() if name != "labels" and torch.is_tensor(value)}
    few = {name: value[:1, :PROBE_TOKENS] for name, value in given.items() if value.dim() == 2}
    was_training = model.training
    model.eval()
    with torch.no_grad(), forward_of(head, answer):
        logits = model(**few).logits
    model.train(was_training)
    is_untouched = len(told) == 1 and logits.shape == told[0].shape and bool((logits == told[0]).all())
    return head if is_untouched and logits.dim() == 3 else None


@contextlib.contextmanager
def forward_of(module: nn.Module, forward: Forward) -> Iterator[None]:
    """Give a module another forward for a while; its hooks stay at work."""
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


def _weight_of(batch: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the weights of a batch's supervised tokens."""
    is_supervised_BT = batch["labels"][:, 1:] != IGNORED  # noqa: N806
    return batch[WEIGHTS][:, 1:][is_supervised_BT].sum()


def _linear(head: nn.Module, forward: Forward) -> LinearHead | None:
    """Return weight and bias of a head that does what a linear layer does, else None.

    Adapters and quantised layers are of another class; what accelerate places on several devices has another forward.
    """
    is_plain = type(head) is nn.Linear and getattr(forward, "__func__", None) is nn.Linear.forward
    return LinearHead(head.weight, head.bias) if is_plain else None


def _as_it_is(logits: Tensor) -> Tensor:
    return logits
