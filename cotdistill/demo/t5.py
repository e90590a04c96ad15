"""The tiny encoder-decoder: a T5 of 0.86 M parameters, taught to read, that may learn word problems of one sum.

It is asked as T5 is, behind `solve: `, without a chat. What it was taught is there to be forgotten: a student that is
tuned on another task alone loses it.
"""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.demo import coin_flip, last_letter, reading, tokenizer
from cotdistill.demo.exercises import Manner
from cotdistill.demo.tasks import SETS, find_exercises
from cotdistill.demo.teaching import BATCH_SIZE, Batch, Lesson, Untaught, filled, order_numbers, write_base
from cotdistill.records import IGNORED, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

PREFIX = "solve: "
NEVER_MET = "bananas"
"""A word of no problem: a student that has learned to solve them is asked about it."""
WAVE_HEIGHT = 0.4
INIT_STD = 0.02
"""T5's own random vectors have a standard deviation of 1, made for Adafactor, whose steps grow with the weights.
AdamW's do not: after 200 steps on problems of one sum the loss was 1.11, and 0.59 with vectors as small as these."""


def make_t5_base(folder: Path, *, seed: int, steps: int, on_step: Callable[[], None] = lambda: None) -> None:
    """Write the untrained encoder-decoder to `folder`, unless the very same one stands there already.

    Raises: UserError if the folder holds something else.
    """

    def make() -> Untaught:
        words = build_words()
        lessons = _lessons(words, seed=seed, steps=steps)
        pad = words.convert_tokens_to_ids(tokenizer.PAD)
        return Untaught(new_t5(words, seed=seed), words, (_batch(found, pad=pad) for found in lessons), steps)

    write_base(folder, {"seed": seed, "t5_stories": steps}, make, on_step=on_step)


def build_words() -> "PreTrainedTokenizerFast":
    """Return the words of the demo's tokenizer and of other tasks; there is no chat template."""
    from transformers import PreTrainedTokenizerFast

    more = (*coin_flip.TEXTS, *last_letter.TEXTS, *reading.TEXTS, PREFIX, NEVER_MET)
    known = tokenizer.build(max_length=512, more=more)
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
        d_ff=256,
        d_kv=32,
        num_heads=4,
        num_layers=2,
        feed_forward_proj="gated-gelu",  # FLAN-T5's: 70 % of answers are right after 600 steps, 54 % with a ReLU
        dropout_rate=0.0,
        decoder_start_token_id=pad,
        pad_token_id=pad,
        eos_token_id=words.convert_tokens_to_ids(tokenizer.END),
    )
    config.scale_decoder_outputs = False  # of vectors with a standard deviation of 1
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
        for weights in model.parameters():
            if weights.dim() > 1:  # norms begin with ones
                torch.nn.init.normal_(weights, std=INIT_STD)
    order_numbers(model, words, height=WAVE_HEIGHT)
    return model


def _lessons(words: "PreTrainedTokenizerFast", *, seed: int, steps: int) -> Iterator[list[Lesson]]:
    """Yield distinct stories for every step; asked is who they are about."""
    rng = random.Random(f"lessons {seed}")
    source = SETS["who_is_it"].problems(steps * BATCH_SIZE, seed=seed)
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
