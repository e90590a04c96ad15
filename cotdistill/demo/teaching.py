"""How a tiny student is taught before a run: its folder is made whole, or not at all.

A folder is an ordinary Hugging Face one (`config.json`, `model.safetensors`, `tokenizer.json` …) beside
`taught.json`, written with the rest in one rename:

    {"seed": 1234, "steps": 800}
"""

import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.demo.problems import LARGEST
from cotdistill.errors import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

BATCH_SIZE = 32
LEARNING_RATE = 3e-3
MAX_GRAD_NORM = 1.0
PERIODS = (2.5, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0)
"""Waves that the vectors of the numbers start with: short ones tell neighbours apart, long ones carry the size."""
TAUGHT = "taught.json"

Batch = dict[str, "torch.Tensor"]


class Lesson(NamedTuple):
    """A problem as token ids: what is asked and what is to be said."""

    prompt: list[int]
    reply: list[int]


class Untaught(NamedTuple):
    """A student with random weights, and what it is to learn."""

    model: "PreTrainedModel"
    words: "PreTrainedTokenizerBase"
    batches: Iterator[Batch]
    """One a step."""
    steps: int


def write_base(
    folder: Path, taught: dict[str, int], make: Callable[[], Untaught], *, on_step: Callable[[], None]
) -> None:
    """Write a taught student to `folder`, unless the very same one, as `taught` describes it, stands there already.

    Raises: UserError if the folder holds something else.
    """
    if folder.exists():
        if not _is_there(folder, taught):
            raise UserError(f"{folder} is not the student that is wanted", hint="move or remove the folder")
        log.debug("student base: %s is there already", folder)
        return
    started = time.monotonic()
    student = make()
    if student.steps:
        _teach(student, on_step=on_step)
    _save(folder, student, taught)
    log.info("student base: written to %s after %.0f s", folder, time.monotonic() - started)


def order_numbers(model: "PreTrainedModel", words: "PreTrainedTokenizerBase", *, height: float) -> None:
    """Add waves of the value to the random vectors of 0..99: near numbers start alike, sums turn the waves.

    A real student has met numbers before. After 800 steps 31 % of one-step problems (changes up to 20) are right
    with nothing but random vectors, and 81 % with the waves.
    """
    import torch

    numbers = torch.arange(LARGEST + 1)
    ids = words.convert_tokens_to_ids([f" {number}" for number in numbers.tolist()])
    angles = 2 * math.pi * numbers[:, None] / torch.tensor(PERIODS)  # (number, period)
    waves = height * torch.cat([angles.cos(), angles.sin()], dim=1)
    with torch.no_grad():
        model.get_input_embeddings().weight[ids, : waves.shape[1]] += waves


def filled(rows: Sequence[Sequence[int]], filling: int) -> "torch.Tensor":
    """Return rows as one tensor (row, longest row), filled up on the right."""
    import torch

    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filling] * (longest - len(row))] for row in rows])


def _teach(student: Untaught, *, on_step: Callable[[], None]) -> None:
    """Train in place: AdamW, cosine to zero without warm-up."""
    import torch

    model, threads = student.model, torch.get_num_threads()
    # A step takes 33 ms on two free cores and 52 ms on one, but two threads spin while they wait for each other:
    # with another process at work on the same cores they took 1,200 ms.
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=student.steps)
    model.train()
    for batch in student.batches:
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        on_step()
    model.eval()
    torch.set_num_threads(threads)


def _is_there(folder: Path, taught: dict[str, int]) -> bool:
    note = folder / TAUGHT
    return note.is_file() and json.loads(note.read_text(encoding="utf-8")) == taught


def _save(folder: Path, student: Untaught, taught: dict[str, int]) -> None:
    """Write beside the folder, then rename: a folder that exists is whole."""
    import transformers

    transformers.logging.disable_progress_bar()
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    student.model.save_pretrained(partial)
    student.words.save_pretrained(partial)
    (partial / TAUGHT).write_text(json.dumps(taught) + "\n", encoding="utf-8")
    partial.rename(folder)
