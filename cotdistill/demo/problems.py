"""Word problems of running additions and subtractions, made by a seed and read back from text.

Every number stays within 0..99 and every word comes from the short lists of `phrases`, so that a word-level tokenizer
of some 200 words and numbers covers the English ones and a tiny student learns them on a CPU in a minute or two:

    Problem(id="5d…", question="Ben has 23 pears. Ben buys 9 more. Then Ben drops 8. How many pears …?", gold="24")
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from cotdistill.demo.phrases import ENGLISH, Phrases
from cotdistill.records import Problem, problem_id

LARGEST = 99
"""No amount in a problem, in between or at its end is larger."""
LARGEST_CHANGE = 9
"""Small, so that the sums are learned in few steps: with 40 the loss still stood at 0.52 after 2,000 of them."""


@dataclass(frozen=True)
class Solution:
    """A problem as numbers: the first amount and the signed changes that follow."""

    start: int
    changes: tuple[int, ...]

    @property
    def amounts(self) -> tuple[int, ...]:
        """The start and the amount after each change: one more than there are changes."""
        return tuple(accumulate(self.changes, initial=self.start))

    @property
    def final(self) -> int:
        """The amount that the question asks for."""
        return self.amounts[-1]


def make_problems(
    count: int, *, seed: int, steps: tuple[int, int] = (2, 4), phrases: Phrases = ENGLISH
) -> Iterator[Problem]:
    """Yield `count` problems with distinct questions; `steps` is the fewest and the most changes, both included.

    The same seed yields the same sequence: a larger count only goes on with it.
    """
    rng = random.Random(f"problems {seed} {steps}")
    seen: set[str] = set()
    while len(seen) < count:
        solution = _draw(rng, rng.randint(*steps))
        question = phrases.write(solution.start, solution.changes, rng)
        if question not in seen:
            seen.add(question)
            yield Problem(id=problem_id(question), question=question, gold=str(solution.final))


def solve(question: str, phrases: Phrases = ENGLISH) -> Solution | None:
    """Return the last word problem that stands in the text as numbers, or None where none does."""
    found = list(phrases.read(question))
    if not found:
        return None
    start, *changes = found[-1][1]
    return Solution(start, tuple(changes))


def _draw(rng: random.Random, count: int) -> Solution:
    start = amount = rng.randint(2, LARGEST - 2)
    changes = []
    for _ in range(count):
        up, down = LARGEST - amount, amount
        gains = rng.random() < 0.5 if min(up, down) >= 2 else up > down
        size = rng.randint(2, min(LARGEST_CHANGE, up if gains else down))
        changes.append(size if gains else -size)
        amount += changes[-1]
    return Solution(start, tuple(changes))
