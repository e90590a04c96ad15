"""The tiny encoder-decoder: a T5 of 0.85 M parameters that was taught last letters, and may learn coin flips.

It is asked as T5 is, behind `solve: `, without a chat. What it was taught is there to be forgotten: a student that is
tuned on another task alone loses it. Word problems are too hard for it: 22 % of those of one step after 1,200 steps.
"""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.demo import coin_flip, last_letter, tokenizer
from cotdistill.demo.exercises import Manner
from cotdistill.demo.tasks import SETS, find_exercises
from cotdistill.demo.teaching import BATCH_SIZE, Batch, Lesson, Untaught, filled, order_numbers, write_base
from cotdistill.records import IGNORED, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

PREFIX = "solve: "
WAVE_HEIGHT = 1.0
"""T5's vectors are larger than Qwen2's: their standard deviation is 1."""


def make_t5_base(folder: Path, *, seed: int, steps: int, on_step: Callable[[], None] = lambda: None) -> None:
    """Write the untrained encoder-decoder to `folder`, unless the very same one stands there already.

    Raises: UserError if the folder holds something else.
    """

    def make() -> Untaught:
        words = build_words()
        lessons = _lessons(words, seed=seed, steps=steps)
        pad = words.convert_tokens_to_ids(tokenizer.PAD)
        return Untaught(new_t5(words, seed=seed), words, (_batch(found, pad=pad) for found in lessons), steps)

    write_base(folder, {"seed": seed, "t5_steps": steps}, make, on_step=on_step)


def build_words() -> "PreTrainedTokenizerFast":
    """Return the words of the demo's tokenizer, the coin flips and the last letters; there is no chat template."""
    from transformers import PreTrainedTokenizerFast

    known = tokenizer.build(max_length=512, more=(*coin_flip.TEXTS, *last_letter.TEXTS, PREFIX))
    return PreTrainedTokenizerFast(
        tokenizer_object=known.backend_tokenizer, pad_token=tokenizer.PAD, eos_token=tokenizer.END
    )


def new_t5(words: "PreTrainedTokenizerFast", *, seed: int) -> "T5ForConditionalGeneration":
    """Return the encoder-decoder with random weights; the caller's random state stays as it is."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    pad = words.convert_tokens_to_ids(tokenizer.PAD)
    config = T5Config(
        vocab_size=len(words),
        d_model=128,
        d_ff=384,
        d_kv=32,
        num_heads=4,
        num_layers=2,
        dropout_rate=0.0,
        decoder_start_token_id=pad,
        pad_token_id=pad,
        eos_token_id=words.convert_tokens_to_ids(tokenizer.END),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
    order_numbers(model, words, height=WAVE_HEIGHT)
    return model


def _lessons(words: "PreTrainedTokenizerFast", *, seed: int, steps: int) -> Iterator[list[Lesson]]:
    """Yield distinct problems of last letters for every step."""
    rng = random.Random(f"lessons {seed}")
    source = SETS["last_letter"].problems(steps * BATCH_SIZE, seed=seed)
    for _ in range(steps):
        yield [_lesson(words, problem, rng) for problem in islice(source, BATCH_SIZE)]


def _lesson(words: "PreTrainedTokenizerFast", problem: Problem, rng: random.Random) -> Lesson:
    worked = find_exercises(problem.question)[-1].work(rng, Manner(0.0))
    said = f"{worked.reasoning}\n\n{worked.text}{tokenizer.END}"
    return Lesson(words.encode(f"{PREFIX}{problem.question}"), words.encode(said))


def _batch(lessons: list[Lesson], *, pad: int) -> Batch:
    """Return ids and mask (batch, longest prompt) and labels (batch, longest reply)."""
    return {
        "input_ids": filled([prompt for prompt, _ in lessons], pad),
        "attention_mask": filled([[1] * len(prompt) for prompt, _ in lessons], 0),
        "labels": filled([reply for _, reply in lessons], IGNORED),
    }
