"""Coin flips: a symbolic task that keeps track of one state (Wei et al. 2022, sec. 5).

Problem(id="a1…", question="A coin is heads up. Ben flips it. Ada leaves it. Is it still heads up?", gold="no")
"""

import functools
import random
import re
from collections.abc import Iterator
from itertools import accumulate

from cotdistill.demo.exercises import Answer, Exercise, Manner
from cotdistill.demo.phrases import ENGLISH
from cotdistill.records import Problem, problem_id

START, END = "A coin is heads up.", "Is it still heads up?"
FLIPS, LEAVES = "{name} flips it.", "{name} leaves it."
STEPS = ("{name} leaves it: {side}.", "{name} flips it: {side}.")
OPENING, FINAL = "First heads.", "The answer is {c}."
LEAK = "The given answer is {c}."
SIDES, GOLDS = ("heads", "tails"), ("yes", "no")
TEXTS = (START, END, FLIPS, LEAVES, *STEPS, OPENING, FINAL, *SIDES, *GOLDS)
"""All of its words, for a tokenizer."""


def make_coin_flips(count: int, *, seed: int, people: tuple[int, int] = (2, 4)) -> Iterator[Problem]:
    """Yield `count` problems with distinct questions; `people` is the fewest and the most of them, both included.

    The same seed yields the same sequence: a larger count only goes on with it.
    """
    rng = random.Random(f"coin flips {seed} {people}")
    seen: set[str] = set()
    while len(seen) < count:
        names = rng.sample(ENGLISH.names, rng.randint(*people))
        flips = [rng.random() < 0.5 for _ in names]
        told = [(FLIPS if flip else LEAVES).format(name=name) for name, flip in zip(names, flips, strict=True)]
        question = " ".join([START, *told, END])
        if question not in seen:
            seen.add(question)
            yield Problem(id=problem_id(question), question=question, gold=GOLDS[sum(flips) % 2])


def find(text: str) -> Iterator[Exercise]:
    """Yield the exercises of this task that stand in a text."""
    for found in _QUESTION.finditer(text):
        people = [(name, verb == "flips") for name, verb in _PERSON.findall(found[0])]
        gold = GOLDS[sum(flip for _, flip in people) % 2]
        yield Exercise(found.start(), found.end(), gold, LEAK.format(c=gold), functools.partial(_work, people))


def _work(people: list[tuple[str, bool]], rng: random.Random, manner: Manner) -> Answer:
    """Return the side after each person; a slip leaves the coin where it is flipped, or the other way."""
    turns = [flip for _, flip in people]
    if rng.random() < manner.error_rate:
        wrong = rng.randrange(len(turns))
        turns[wrong] = not turns[wrong]
    sides = list(accumulate(turns, lambda side, flip: side ^ flip, initial=False))[1:]
    steps = [STEPS[flip].format(name=name, side=SIDES[side]) for (name, flip), side in zip(people, sides, strict=True)]
    said = GOLDS[sides[-1]]
    is_right = sides[-1] == sum(flip for _, flip in people) % 2
    return Answer(" ".join([OPENING, *steps]), FINAL.format(c=said), is_right=is_right)


def _spaced(text: str) -> str:
    return re.escape(text).replace(r"\ ", r"\s+")


_PERSON = re.compile(r"(\w+)\s+(flips|leaves)\s+it\.")
_QUESTION = re.compile(rf"{_spaced(START)}(?:\s+\w+\s+(?:flips|leaves)\s+it\.)+\s+{_spaced(END)}")
