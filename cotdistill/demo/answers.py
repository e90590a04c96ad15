"""What the embedded teacher says to a word problem: a worked answer in one of a few wordings, now and then with a slip.

    Answer(reasoning="First 23 + 12 = 35. 35 - 8 = 27.", text="The answer is 27.", is_right=True)

Its slips are those of people, not noise: it likes to forget the carry where it adds 9, so a student that
learns from its unchecked answers learns to forget it, too. Evenly spread noise would teach no habit: a student
answers with the majority of what it saw.
"""

import functools
import itertools
import random
from collections.abc import Iterator

from cotdistill.demo.exercises import Answer, Exercise, Manner
from cotdistill.demo.phrases import CHINESE, ENGLISH, Phrases
from cotdistill.demo.problems import LARGEST, Solution

CARRY_SHARE = 0.142
"""Share of the problems (2-4 steps) with a step whose carry the teacher may forget: measured on 20,000."""
CARRY_RATE = 5.0
"""How much likelier than elsewhere on average such a problem goes wrong: 75 % at an error rate of 15 %."""
MOST_ORDERED = 5
"""Changes that are taken in any order; what follows keeps its place. Five have 120 orders, ten have 3,628,800."""


def find(text: str) -> Iterator[Exercise]:
    """Yield the word problems that stand in a text, English ones first."""
    for phrases in (ENGLISH, CHINESE):
        for found, (start, *changes) in phrases.read(text):
            solution = Solution(start, tuple(changes))
            gold = str(solution.final)
            work = functools.partial(_work, solution, phrases)
            yield Exercise(found.start(), found.end(), gold, phrases.leak.format(c=gold), work)


def answer(
    solution: Solution,
    rng: random.Random,
    *,
    error_rate: float,
    variety: float = 0.0,
    phrases: Phrases = ENGLISH,
) -> Answer:
    """Return a worked answer; about `error_rate` of those to problems of 2-4 steps hold one slip.

    A share `variety` of the answers takes the changes in any order that stays within 0..99.
    """
    way = _another_order(solution, rng) if variety and rng.random() < variety else solution
    amounts = _slip(way, rng, error_rate)
    forms = rng.choice(phrases.equations)
    steps = [
        forms[change < 0].format(a=before, b=abs(change), c=after)
        for before, change, after in zip(amounts, way.changes, amounts[1:], strict=False)
    ]
    text = rng.choice(phrases.finals).format(c=amounts[-1])
    reasoning = phrases.between.join([phrases.opening, *steps])
    return Answer(reasoning, text, is_right=amounts[-1] == solution.final)


def _work(solution: Solution, phrases: Phrases, rng: random.Random, manner: Manner) -> Answer:
    return answer(solution, rng, error_rate=manner.error_rate, variety=manner.variety, phrases=phrases)


def _another_order(solution: Solution, rng: random.Random) -> Solution:
    """Return the problem with its changes in an order drawn from those that stay within 0..99, its own if none does."""
    first, rest = solution.changes[:MOST_ORDERED], solution.changes[MOST_ORDERED:]
    ways = (Solution(solution.start, (*order, *rest)) for order in sorted(set(itertools.permutations(first))))
    return rng.choice([way for way in ways if _in_range(way.amounts)] or [solution])


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
