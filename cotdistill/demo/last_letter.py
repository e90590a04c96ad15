"""Last letters: a symbolic task that a teacher solves letter by letter (Wei et al. 2022, sec. 5).

Problem(id="a1…", question='Take the last letter of each word in "moss fig" and join them.', gold="sg")
"""

import functools
import random
import re
from collections.abc import Iterator

from cotdistill.demo.exercises import Answer, Exercise, Manner
from cotdistill.records import Problem, problem_id

WORDS = (
    *("moss", "fig", "lamb", "milk", "oak", "drum", "plum", "silo", "tuba", "yarn"),
    *("fork", "gulf", "hat", "ivy", "jar", "kite", "leaf", "menu", "nest", "owl"),
)
QUESTION = 'Take the last letter of each word in "{words}" and join them.'
STEP, OPENING, FINAL = "{word} ends in {letter}.", "Word by word:", "The answer is {c}."
LEAK = "The given answer is {c}."
TEXTS = (*WORDS, QUESTION, STEP, OPENING, FINAL)
"""All of its words, for a tokenizer."""


def make_last_letters(count: int, *, seed: int, words: tuple[int, int] = (2, 4)) -> Iterator[Problem]:
    """Yield `count` problems with distinct questions; `words` is the fewest and the most words, both included.

    The same seed yields the same sequence: a larger count only goes on with it.
    """
    rng = random.Random(f"last letters {seed} {words}")
    seen: set[str] = set()
    while len(seen) < count:
        drawn = [rng.choice(WORDS) for _ in range(rng.randint(*words))]
        question = QUESTION.format(words=" ".join(drawn))
        if question not in seen:
            seen.add(question)
            yield Problem(id=problem_id(question), question=question, gold=_joined(drawn))


def find(text: str) -> Iterator[Exercise]:
    """Yield the exercises of this task that stand in a text."""
    for found in _QUESTION.finditer(text):
        words = found[1].split()
        gold = _joined(words)
        yield Exercise(found.start(), found.end(), gold, LEAK.format(c=gold), functools.partial(_work, words))


def _work(words: list[str], rng: random.Random, manner: Manner) -> Answer:
    """Return the letters one by one; a slip takes the first letter of a word."""
    letters = [word[-1] for word in words]
    if rng.random() < manner.error_rate:
        slips = [place for place, word in enumerate(words) if word[0] != word[-1]] or [0]
        place = rng.choice(slips)
        letters[place] = words[place][0]
    steps = [STEP.format(word=word, letter=letter) for word, letter in zip(words, letters, strict=True)]
    said = "".join(letters)
    return Answer(" ".join([OPENING, *steps]), FINAL.format(c=said), is_right=said == _joined(words))


def _joined(words: list[str]) -> str:
    return "".join(word[-1] for word in words)


_QUESTION = re.compile(
    re.escape(QUESTION).replace(r"\{words\}", r"([a-zA-Z]+(?:\s+[a-zA-Z]+)*)").replace(r"\ ", r"\s+")
)
