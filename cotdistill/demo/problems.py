"""Word problems of running additions and subtractions, made by a seed and read back from text.

Every number stays within 0..99 and every word comes from the short lists below, so that a word-level tokenizer of
some 200 words and numbers covers them and a tiny student learns them on a CPU in a minute or two:

    Problem(id="5d…", question="Ben has 23 pears. Ben buys 9 more. Then Ben drops 8. How many pears …?", gold="24")
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from cotdistill.records import Problem, problem_id

LARGEST = 99
"""No amount in a problem, in between or at its end is larger."""
LARGEST_CHANGE = 9
"""Small, so that the sums are learned in few steps: with 40 the loss still stood at 0.52 after 2,000 of them."""

NAMES = ("Ada", "Ben", "Chen", "Dana", "Emil", "Fatima", "Goran", "Hana", "Ivan", "Jun", "Kofi", "Lena")
THINGS = (
    *("apples", "books", "cards", "coins", "eggs", "marbles"),
    *("pears", "pens", "shells", "stamps", "stickers", "stones"),
)
STARTS = ("{name} has {n} {things}.", "{name} starts with {n} {things}.")
GAINS = ("{name} finds {n}.", "{name} buys {n} more.", "Then {name} wins {n}.", "A friend gives {n}.")
LOSSES = ("{name} loses {n}.", "{name} sells {n}.", "Then {name} drops {n}.", "A friend takes {n}.")
QUESTIONS = ("How many {things} are left?", "How many are there now?")


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


def make_problems(count: int, *, seed: int, steps: tuple[int, int] = (2, 4)) -> Iterator[Problem]:
    """Yield `count` problems with distinct questions; `steps` is the fewest and the most changes, both included.

    The same seed yields the same sequence: a larger count only goes on with it.
    """
    rng = random.Random(f"problems {seed} {steps}")
    seen: set[str] = set()
    while len(seen) < count:
        solution = _draw(rng, rng.randint(*steps))
        question = _write(solution, rng)
        if question not in seen:
            seen.add(question)
            yield Problem(id=problem_id(question), question=question, gold=str(solution.final))


def solve(question: str) -> Solution | None:
    """Return the last word problem that stands in the text as numbers, or None where none does."""
    found = list(_PROBLEM.finditer(question))
    if not found:
        return None
    start, *changes = (_signed(sentence) for sentence in _SENTENCE.finditer(found[-1][0]))
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


def _write(solution: Solution, rng: random.Random) -> str:
    words = {"name": rng.choice(NAMES), "things": rng.choice(THINGS)}
    sentences = [rng.choice(STARTS).format(n=solution.start, **words)]
    for change in solution.changes:
        template = rng.choice(GAINS if change > 0 else LOSSES)
        sentences.append(template.format(n=abs(change), **words))
    sentences.append(rng.choice(QUESTIONS).format(**words))
    return " ".join(sentences)


def _signed(sentence: re.Match[str]) -> int:
    role = sentence.lastgroup or ""
    return -int(sentence[role]) if role.startswith("loss") else int(sentence[role])


def _pattern(template: str, number: str) -> str:
    blanks = {"name": f"(?:{'|'.join(NAMES)})", "things": f"(?:{'|'.join(THINGS)})", "n": number}
    literal = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\ ", r"\s+")
    return re.sub(r"\{(\w+)\}", lambda blank: blanks[blank[1]], literal)


def _any(templates: tuple[str, ...], role: str = "") -> str:
    """Return an alternation; with a role, the number of each alternative is a group named after it."""
    return "|".join(
        _pattern(template, f"(?P<{role}{i}>{_NUMBER})" if role else _NUMBER) for i, template in enumerate(templates)
    )


_NUMBER = "[0-9]{1,9}"
_PROBLEM = re.compile(
    rf"(?:{_any(STARTS)})(?:\s+(?:{_any(GAINS + LOSSES)}))+\s+(?:{_any(QUESTIONS)})",
)
_SENTENCE = re.compile("|".join([_any(STARTS, "start"), _any(GAINS, "gain"), _any(LOSSES, "loss")]))
