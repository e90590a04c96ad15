"""The tiny encoder-decoder: a T5 of 0.86 M parameters that can read and add, and may learn word problems of one sum.

It is asked as T5 is, behind `solve: `, without a chat. `Who is it?` is there to be forgotten: a student that is tuned
on another task alone loses it. The bare sums are there because a pre-trained model knows them, and the words' vectors
forget numbers that no lesson holds: taught to read alone, it solves 67 % of word problems after 400 steps of tuning.
Problems of two to four sums are too hard for it: 12 % after 500 steps.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.demo import answers, tokenizer
from cotdistill.demo.exercises import Answer, Manner
from cotdistill.demo.problems import solve
from cotdistill.demo.tasks import SETS, TEXTS, find_exercises
from cotdistill.demo.teaching import Batch, Lesson, Untaught, filled, order_numbers, write_base
from cotdistill.records import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

PREFIX = "solve: "
LESSONS = {"sums": 20, "stories": 12}
"""Lessons of each sort in every step of the teaching."""
INIT_STD = 0.02
"""Of the words' random vectors. T5's own of 1 were made for Adafactor, whose steps grow with the weights: after 400
steps of AdamW on bare sums 20 % are right with them, and 94 % with vectors as small as these."""
WAVE_HEIGHT = 1.0
"""Many times the other words': the vector of a number is little but its value. 0.4 does as well."""


def make_t5_base(folder: Path, *, seed: int, steps: int, on_step: Callable[[], None] = lambda: None) -> None:
    """Write the untrained encoder-decoder to `folder`, unless the very same one stands there already.

    Raises: UserError if the folder holds something else.
    """

    def make() -> Untaught:
        words = build_words()
        lessons = _lessons(words, seed=seed, steps=steps)
        pad = words.convert_tokens_to_ids(tokenizer.PAD)
        return Untaught(new_t5(words, seed=seed), words, (_batch(found, pad=pad) for found in lessons), steps)

    write_base(folder, {"seed": seed, "t5_steps": steps, "abilities": len(LESSONS)}, make, on_step=on_step)


def build_words() -> "PreTrainedTokenizerFast":
    """Return the words of the demo's tokenizer and of the English tasks; there is no chat template."""
    from transformers import PreTrainedTokenizerFast

    known = tokenizer.build(max_length=512, more=(*TEXTS, PREFIX))
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
        d_kv=16,
        num_heads=8,  # with four of 32, 72 % of bare sums are right after 400 steps, with these 94 %
        num_layers=2,
        feed_forward_proj="gated-gelu",  # as FLAN-T5's
        scale_decoder_outputs=False,  # as FLAN-T5's
        dropout_rate=0.0,
        decoder_start_token_id=pad,
        pad_token_id=pad,
        eos_token_id=words.convert_tokens_to_ids(tokenizer.END),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
        torch.nn.init.normal_(model.get_input_embeddings().weight, std=INIT_STD)
    order_numbers(model, words, height=WAVE_HEIGHT)
    return model


def _lessons(words: "PreTrainedTokenizerFast", *, seed: int, steps: int) -> Iterator[list[Lesson]]:
    """Yield the lessons of every step."""
    rng = random.Random(f"lessons {seed}")
    sources = [
        (_sums(steps * LESSONS["sums"], seed, rng), LESSONS["sums"]),
        (_stories(steps * LESSONS["stories"], seed, rng), LESSONS["stories"]),
    ]
    for _ in range(steps):
        yield [_lesson(words, *next(source)) for source, count in sources for _ in range(count)]


def _sums(count: int, seed: int, rng: random.Random) -> Iterator[tuple[str, Answer]]:
    """Yield the sums of word problems without their words, `23 + 9`, each with its worked answer."""
    for problem in SETS["one_step"].problems(count, seed=seed):
        solution = solve(problem.question)
        assert solution is not None
        (change,) = solution.changes
        asked = f"{solution.start} {'+' if change > 0 else '-'} {abs(change)}"
        yield asked, answers.answer(solution, rng, error_rate=0.0)


def _stories(count: int, seed: int, rng: random.Random) -> Iterator[tuple[str, Answer]]:
    """Yield distinct stories; asked is who they are about."""
    for problem in SETS["who_is_it"].problems(count, seed=seed):
        (exercise,) = find_exercises(problem.question)
        yield problem.question, exercise.work(rng, Manner(0.0))


def _lesson(words: "PreTrainedTokenizerFast", question: str, worked: Answer) -> Lesson:
    said = f"{worked.reasoning}\n\n{worked.text}{tokenizer.END}"
    return Lesson(words.encode(f"{PREFIX}{question}"), words.encode(said))


def _batch(lessons: list[Lesson], *, pad: int) -> Batch:
    """Return ids and mask (batch, longest prompt) and labels (batch, longest reply)."""
    return {
        "input_ids": filled([prompt for prompt, _ in lessons], pad),
        "attention_mask": filled([[1] * len(prompt) for prompt, _ in lessons], 0),
        "labels": filled([reply for _, reply in lessons], IGNORED),
    }
