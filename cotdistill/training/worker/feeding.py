"""How rows reach the model: a data loader whose micro-steps are dealt by length, and that repeats no row.

Each process makes the same list from the seed and takes its own part of it, so a training that goes on deals the
rows that are left as the first start would have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.data_loader import DataLoaderShard
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset
from transformers import Trainer

from cotdistill.losses import Tensor
from cotdistill.records import IGNORED
from cotdistill.students import TrainingRow
from cotdistill.training.prepare.packing import Bins
from cotdistill.training.worker.bounds_check import check_bounds
from cotdistill.training.worker.dealing import Deal, Places


@dataclass(frozen=True)
class Filler:
    """A row that nothing is learned from, where a process has none of its own."""

    row: TrainingRow

    @property
    def input_ids(self) -> list[int]:
        """The row's tokens."""
        return self.row.input_ids

    @property
    def labels(self) -> list[int]:
        """IGNORED for each token."""
        return [IGNORED] * len(self.row.input_ids)

    @property
    def weights(self) -> list[float] | None:
        """What its tokens would count; none of them does."""
        return self.row.weights

    @property
    def id(self) -> str:
        """The row's id."""
        return self.row.id


class Supply(Dataset[TrainingRow]):  # type: ignore[misc]  # torch is not typed here
    """The rows of a set by number; `~number` is the row as a filler."""

    def __init__(self, rows: Sequence[TrainingRow]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> TrainingRow:
        return self.rows[number] if number >= 0 else Filler(self.rows[~number])


class MicroSteps(BatchSampler):  # type: ignore[misc]
    """Numbers of rows for each micro-step of one process, epoch by epoch.

    The bins of an optimiser step depend on the seed and the epoch alone; `deal` says which of them this rank takes.
    A micro-step that gets none learns nothing from the shortest row of its step.
    """

    def __init__(self, bins: Bins, deal: Deal, places: Places, *, rank: int, seed: int, is_shuffled: bool) -> None:
        self.bins = bins
        self.deal = deal
        self.places = places
        self.rank = rank
        self.seed = seed
        self.is_shuffled = is_shuffled
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw another order for each pass over the rows."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the micro-steps of an epoch."""
        whole, rest = divmod(len(self.bins), self.places.total)
        return whole * self.places.micro_steps + self.places.for_rows(rest).micro_steps

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = (
            torch.randperm(len(self.bins), generator=generator) if self.is_shuffled else torch.arange(len(self.bins))
        )
        for step in order.split(self.places.total):
            yield from self._of_step(step.tolist())

    def _of_step(self, step: Sequence[int]) -> Iterator[list[int]]:
        tokens = [self.bins.tokens[number] for number in step]
        shortest = self.bins[min(zip(tokens, step, strict=True))[1]][0]
        for ranks in self.deal(tokens, self.places.for_rows(len(step))):
            rows = [int(row) for place in ranks[self.rank] for row in self.bins[step[place]]]
            yield rows or [~int(shortest)]


def fed_by(trainer: type[Trainer], bins: Bins, deal: Deal) -> type[Trainer]:
    """Return the trainer with a data loader that takes a set's rows bin by bin, each step dealt by `deal`."""

    class FedTrainer(trainer):  # type: ignore[misc]  # transformers is not typed
        are_bounds_checked = False

        def training_step(
            self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | None = None
        ) -> Tensor:
            """Take a micro-step; before the first one rows must be seen to lie apart."""
            if not self.are_bounds_checked and "cu_seq_lens_q" in inputs:
                is_half = self.args.bf16 or self.args.fp16
                check_bounds(model, self.accelerator.unwrap_model(model), inputs, is_half=is_half)
            self.are_bounds_checked = True
            return super().training_step(model, inputs, num_items_in_batch)

        def get_train_dataloader(self) -> DataLoader[Any]:  # Any: what the collator makes
            """Return this process's micro-steps."""
            args = self.args
            rows = self._train_batch_size
            places = Places(args.world_size, args.gradient_accumulation_steps, rows, rows * max(bins.tokens))
            steps = MicroSteps(
                bins,
                deal,
                places,
                rank=args.process_index,
                seed=args.seed,
                is_shuffled=args.train_sampling_strategy == "random",
            )
            loader: DataLoader[Any] = DataLoaderShard(
                Supply(self.train_dataset),
                device=self.accelerator.device,
                batch_sampler=steps,
                collate_fn=self.data_collator,
                num_workers=args.dataloader_num_workers,
                pin_memory=args.dataloader_pin_memory,
                persistent_workers=args.dataloader_persistent_workers,
                multiprocessing_context=args.dataloader_multiprocessing_context,
                prefetch_factor=args.dataloader_prefetch_factor,
            )
            return loader

    return FedTrainer
