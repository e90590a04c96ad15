"""The tiny student: a Qwen2 of 0.46 M parameters that was taught one-step problems and nothing longer.

A folder of it is an ordinary Hugging Face one (`config.json`, `model.safetensors`, `tokenizer.json` …) beside
`taught.json`, written with the rest in one rename:

    {"seed": 1234, "steps": 800}
"""

import json
import logging
import math
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.demo import tokenizer
from cotdistill.demo.answers import answer
from cotdistill.demo.problems import LARGEST, make_problems, solve
from cotdistill.errors import UserError
from cotdistill.records import IGNORED, Problem

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

log = logging.getLogger(__name__)

MAX_LENGTH = 1024
"""Tokens; a problem with its worked answer takes at most 100, a long system prompt some 250."""
BATCH_SIZE = 32
LEARNING_RATE = 3e-3
MAX_GRAD_NORM = 1.0
PERIODS = (2.5, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0)
"""Waves that the vectors of the numbers start with: short ones tell neighbours apart, long ones carry the size."""
WAVE_HEIGHT = 0.4
"""0.15 is learned more slowly: 57 % instead of 81 %."""
TAUGHT = "taught.json"


class Lesson(NamedTuple):
    """A one-step problem as token ids: what is asked and what is to be said."""

    prompt: list[int]
    reply: list[int]


def make_base(folder: Path, *, seed: int, steps: int, on_step: Callable[[], None] = lambda: None) -> None:
    """Write the untrained student to `folder`, unless the very same one stands there already.

    It answers with a rationale of one step: a base taught bare answers is a bad start for rationales.

    Raises: UserError if the folder holds something else.
    """
    taught = {"seed": seed, "steps": steps}
    if folder.exists():
        if not _is_there(folder, taught):
            raise UserError(f"{folder} is not the student that is wanted", hint="move or remove the folder")
        log.debug("student base: %s is there already", folder)
        return
    started = time.monotonic()
    words = tokenizer.build(max_length=MAX_LENGTH)
    model = new_model(words, seed=seed)
    if steps:
        _teach(model, _batches(words, seed=seed, steps=steps), steps=steps, on_step=on_step)
    _save(folder, model, words, taught)
    log.info("student base: written to %s after %.0f s", folder, time.monotonic() - started)


def new_model(words: "Qwen2Tokenizer", *, seed: int) -> "Qwen2ForCausalLM":
    """Return the student with random weights; the caller's random state stays as it is."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)
    _order_numbers(model, words)
    return model


def _order_numbers(model: "Qwen2ForCausalLM", words: "Qwen2Tokenizer") -> None:
    """Add waves of the value to the random vectors of 0..99: near numbers start alike, sums turn the waves.

    A real student has met numbers before. After 800 steps 31 % of one-step problems (changes up to 20) are right
    with nothing but random vectors, and 81 % with the waves.
    """
    import torch

    numbers = torch.arange(LARGEST + 1)
    ids = words.convert_tokens_to_ids([f" {number}" for number in numbers.tolist()])
    angles = 2 * math.pi * numbers[:, None] / torch.tensor(PERIODS)  # (number, period)
    waves = WAVE_HEIGHT * torch.cat([angles.cos(), angles.sin()], dim=1)
    with torch.no_grad():
        model.get_input_embeddings().weight[ids, : waves.shape[1]] += waves


def _batches(words: "Qwen2Tokenizer", *, seed: int, steps: int) -> Iterator[list[Lesson]]:
    """Yield a batch of distinct one-step problems for every step."""
    rng = random.Random(f"lessons {seed}")
    source = make_problems(steps * BATCH_SIZE, seed=seed, steps=(1, 1))
    for _ in range(steps):
        yield [_lesson(words, next(source), rng) for _ in range(BATCH_SIZE)]


def _lesson(words: "Qwen2Tokenizer", problem: Problem, rng: random.Random) -> Lesson:
    solution = solve(problem.question)
    assert solution is not None, "a problem that was just made can be read back"
    worked = answer(solution, rng, error_rate=0.0)
    asked = f"{tokenizer.START}user\n{problem.question}{tokenizer.END}\n{tokenizer.START}assistant\n"
    said = f"{worked.reasoning}\n\n{worked.text}{tokenizer.END}"
    return Lesson(words.encode(asked), words.encode(said))


def _teach(
    model: "Qwen2ForCausalLM", batches: Iterator[list[Lesson]], *, steps: int, on_step: Callable[[], None]
) -> None:
    """Train in place: AdamW, cosine to zero without warm-up."""
    import torch

    threads = torch.get_num_threads()
    # A step takes 33 ms on two free cores and 52 ms on one, but two threads spin while they wait for each other:
    # with another process at work on the same cores they took 1,200 ms.
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    model.train()
    for batch in batches:
        model(**_tensors(batch, pad=model.config.pad_token_id)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        on_step()
    model.eval()
    torch.set_num_threads(threads)


def _tensors(batch: list[Lesson], *, pad: int) -> "dict[str, torch.Tensor]":
    """Return ids, mask and labels (batch, length), padded on the right; the reply alone is supervised."""
    import torch

    length = max(len(lesson.prompt) + len(lesson.reply) for lesson in batch)
    ids = torch.full((len(batch), length), pad)
    labels = torch.full((len(batch), length), IGNORED)
    mask = torch.zeros((len(batch), length), dtype=torch.long)
    for row, (prompt, reply) in enumerate(batch):
        end = len(prompt) + len(reply)
        ids[row, :end] = torch.tensor(prompt + reply)
        labels[row, len(prompt) : end] = torch.tensor(reply)
        mask[row, :end] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _is_there(folder: Path, taught: dict[str, int]) -> bool:
    note = folder / TAUGHT
    return note.is_file() and json.loads(note.read_text(encoding="utf-8")) == taught


def _save(folder: Path, model: "Qwen2ForCausalLM", words: "Qwen2Tokenizer", taught: dict[str, int]) -> None:
    """Write beside the folder, then rename: a folder that exists is whole."""
    import transformers

    transformers.logging.disable_progress_bar()
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model.save_pretrained(partial)
    words.save_pretrained(partial)
    (partial / TAUGHT).write_text(json.dumps(taught) + "\n", encoding="utf-8")
    partial.rename(folder)
