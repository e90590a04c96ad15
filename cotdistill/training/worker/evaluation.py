"""The loss of rows that are not learned from, while training: exact, whatever the number of ranks and their batches."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from transformers import Trainer, TrainerControl

from cotdistill.losses import IGNORED
from cotdistill.students import TrainingRow
from cotdistill.training.worker.finite import WatchedLoss


def evaluating_by(trainer: type[Trainer]) -> type[Trainer]:
    """Return the trainer with an evaluation that is the loss per supervised token of all rows over all ranks."""

    class EvaluatingTrainer(trainer):  # type: ignore[misc]  # transformers is not typed
        def evaluate(
            self,
            eval_dataset: object = None,  # noqa: ARG002 - transformers passes neither
            ignore_keys: list[str] | None = None,  # noqa: ARG002
            metric_key_prefix: str = "eval",
        ) -> dict[str, float]:
            """Return the loss and the tokens that it is the mean of; every rank must ask."""
            loss, tokens = self._mean_loss()
            metrics = {f"{metric_key_prefix}_loss": loss, f"{metric_key_prefix}_tokens": tokens}
            self.log(dict(metrics))
            self.control: TrainerControl = self.callback_handler.on_evaluate(
                self.args, self.state, self.control, metrics
            )
            return metrics

        def _mean_loss(self) -> tuple[float, int]:
            model: nn.Module = self.model_wrapped
            was_training = model.training
            model.eval()
            total, tokens = 0.0, 0
            with torch.no_grad():
                for rows, counts in self._batches():
                    loss, supervised = self._summed_loss(model, rows)
                    if counts:
                        total, tokens = total + loss, tokens + supervised
            model.train(was_training)
            parts = [(total, tokens)]
            if torch.distributed.is_initialized():
                parts *= self.args.world_size
                torch.distributed.all_gather_object(parts, (total, tokens))
            tokens = sum(part[1] for part in parts)
            return sum(part[0] for part in parts) / max(1, tokens), tokens

        def _batches(self) -> Iterator[tuple[Sequence[TrainingRow], bool]]:
            """Yield this rank's batches, and whether each counts; all ranks have as many, as collective calls ask."""
            rows, size = self.eval_dataset, self.args.per_device_eval_batch_size
            # Rows of like length together, so that little is filled up.
            order = sorted(range(len(rows)), key=lambda number: len(rows[number].input_ids))
            batches = [order[start : start + size] for start in range(0, len(order), size)]
            rank, world = self.args.process_index, self.args.world_size
            for first in range(0, len(batches), world):
                number = first + rank
                numbers = batches[number] if number < len(batches) else batches[first]
                yield [rows[i] for i in numbers], number < len(batches)

        def _summed_loss(self, model: nn.Module, rows: Sequence[TrainingRow]) -> tuple[float, int]:
            mean_loss: WatchedLoss = self.compute_loss_func
            batch = self.data_collator(rows)
            inputs = mean_loss.take_columns(self._prepare_inputs(batch))
            labels = inputs.pop("labels")
            is_at_head = self.head is not None
            with mean_loss.at(self.head, labels) if is_at_head else contextlib.nullcontext():
                loss = mean_loss.summed(model(**inputs), labels)
            return float(loss), int((labels != IGNORED).sum())

    return EvaluatingTrainer
