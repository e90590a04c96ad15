"""What every task of the embedded teacher comes to: an exercise that stands in a text, and an answer to it.

Exercise(start=0, end=75, gold="24", work=…)   Answer("First 23 + 9 = 32. 32 - 8 = 24.", "The answer is 24.", True)
"""

import random
from dataclasses import dataclass
from typing import Protocol

NOT_FOUND = "I could not find a word problem in this message."


@dataclass(frozen=True)
class Answer:
    """A worked answer: the thinking, and what is said after it."""

    reasoning: str
    text: str
    is_right: bool


@dataclass(frozen=True)
class Manner:
    """How an answer is worked out."""

    error_rate: float
    """Share of answers with one slip, 0..1."""
    variety: float = 0.0
    """Share of answers that go another way than the plain one, 0..1, where a task has several."""


class Work(Protocol):
    """What works out one exercise."""

    def __call__(self, rng: random.Random, manner: Manner, /) -> Answer:
        """Return an answer; everything that is chosen is drawn from `rng`."""
        ...


@dataclass(frozen=True)
class Exercise:
    """An exercise that was found in a text."""

    start: int
    end: int
    """Its place there, in characters."""
    gold: str
    leak: str
    """What an answer says that gives away the answer it was shown."""
    work: Work
