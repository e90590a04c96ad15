"""What the embedded teacher says: a worked answer in one of a few wordings, now and then with a slip.

    Answer(reasoning="First 23 + 12 = 35. 35 - 8 = 27.", text="The answer is 27.", is_right=True)

Its slips are those of people, not noise: it likes to forget the carry where it adds 9, so a student that
learns from its unchecked answers learns to forget it, too. Evenly spread noise would teach no habit: a student
answers with the majority of what it saw.
"""

import random
from dataclasses import dataclass

from cotdistill.demo.problems import LARGEST, Solution

NOT_FOUND = "I could not find a word problem in this message."

EQUATIONS = (
    ("{a} + {b} = {c}.", "{a} - {b} = {c}."),
    ("{a} plus {b} is {c}.", "{a} minus {b} is {c}."),
)
"""Each for a gain and for a loss. A worked answer keeps to one of them."""
OPENING = "First"
"""A worked answer begins with a word, so that every number has the space before it that makes it one token."""
FINALS = ("The answer is {c}.", "So the answer is {c}.")

CARRY_SHARE = 0.142
"""Share of the problems (2-4 steps) with a step whose carry the teacher may forget: measured on 20,000."""
CARRY_RATE = 5.0
"""How much likelier than elsewhere on average such a problem goes wrong: 75 % at an error rate of 15 %."""


@dataclass(frozen=True)
class Answer:
    """A worked answer: the thinking, and what is said after it."""

    reasoning: str
    text: str
    is_right: bool


def answer(solution: Solution, rng: random.Random, *, error_rate: float) -> Answer:
    """Return a worked answer; about `error_rate` of those to problems of 2-4 steps hold one slip."""
    amounts = _slip(solution, rng, error_rate)
    forms = rng.choice(EQUATIONS)
    steps = [
        forms[change < 0].format(a=before, b=abs(change), c=after)
        for before, change, after in zip(amounts, solution.changes, amounts[1:], strict=False)
    ]
    text = rng.choice(FINALS).format(c=amounts[-1])
    return Answer(" ".join([OPENING, *steps]), text, is_right=amounts[-1] == solution.final)


def _slip(solution: Solution, rng: random.Random, error_rate: float) -> tuple[int, ...]:
    """Return the amounts as the teacher works them out: a slip is carried through the later steps."""
    carry = _forgotten_carry(solution)
    carry_rate = min(1.0, CARRY_RATE * error_rate)
    plain_rate = (error_rate - CARRY_SHARE * carry_rate) / (1 - CARRY_SHARE)
    if rng.random() >= (carry_rate if carry else plain_rate):
        return solution.amounts
    return carry or rng.choice(_miscounts(solution))


def _forgotten_carry(solution: Solution) -> tuple[int, ...] | None:
    """Return the amounts with the carry of the first gain of 9 forgotten, None where there is none."""
    for step, (before, change) in enumerate(zip(solution.amounts, solution.changes, strict=False)):
        if change == 9 and before % 10:
            shifted = _shifted(solution, step, -10)
            return shifted if _in_range(shifted) else None
    return None


def _miscounts(solution: Solution) -> list[tuple[int, ...]]:
    """Return the ways to be off by one to three in one step, those that stay within 0..99 if there are any."""
    steps = range(len(solution.changes))
    ways = [_shifted(solution, step, by) for step in steps for by in (-3, -2, -1, 1, 2, 3)]
    return [way for way in ways if _in_range(way)] or ways


def _shifted(solution: Solution, step: int, by: int) -> tuple[int, ...]:
    return tuple(amount + by * (i > step) for i, amount in enumerate(solution.amounts))


def _in_range(amounts: tuple[int, ...]) -> bool:
    return all(0 <= amount <= LARGEST for amount in amounts)
