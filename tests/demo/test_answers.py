"""The teacher's worked answers: right where they say so, and slips that are carried through."""

import itertools
import random
import re

import pytest

from cotdistill.demo.answers import answer
from cotdistill.demo.exercises import Answer
from cotdistill.demo.problems import LARGEST, Solution, make_problems, solve

SOLUTIONS = [solution for p in make_problems(2000, seed=3) if (solution := solve(p.question))]


def answers(error_rate: float) -> list[tuple[Solution, Answer]]:
    rng = random.Random(5)
    return [(solution, answer(solution, rng, error_rate=error_rate)) for solution in SOLUTIONS]


def equations(worked: Answer) -> list[tuple[int, int, int]]:
    """Return (amount before, signed change, amount after) of every step."""
    found = re.findall(r"(\d+) (\+|-|plus|minus) (\d+) (?:=|is) (\d+)\.", worked.reasoning)
    return [(int(a), int(b) if op in "+plus" else -int(b), int(c)) for a, op, b, c in found]


def final(worked: Answer) -> int:
    return int(re.findall(r"\d+", worked.text)[-1])


def test_without_errors_every_step_and_every_final_is_right():
    for solution, worked in answers(0.0):
        steps = equations(worked)
        assert [a for a, _, _ in steps] + [steps[-1][2]] == list(solution.amounts)
        assert tuple(change for _, change, _ in steps) == solution.changes
        assert worked.is_right
        assert final(worked) == solution.final


@pytest.mark.parametrize("error_rate", [0.05, 0.15, 0.5, 1.0])
def test_the_share_of_wrong_answers_is_the_error_rate(error_rate):
    wrong = sum(final(worked) != solution.final for solution, worked in answers(error_rate))
    assert wrong / len(SOLUTIONS) == pytest.approx(error_rate, abs=0.03)


def test_a_slip_is_one_false_step_that_the_later_ones_build_on():
    wrong = [(solution, worked) for solution, worked in answers(0.15) if not worked.is_right]
    for solution, worked in wrong:
        steps = equations(worked)
        assert sum(a + change != c for a, change, c in steps) == 1
        assert all(c == a for (_, _, c), (a, _, _) in itertools.pairwise(steps))
        assert final(worked) == steps[-1][2] != solution.final
        assert all(0 <= c <= LARGEST for _, _, c in steps)


def test_most_slips_are_a_forgotten_carry_of_nine():
    wrong = [equations(worked) for _, worked in answers(0.15) if not worked.is_right]
    slips = [(change, c - a - change) for steps in wrong for a, change, c in steps if a + change != c]
    forgotten = sum((change, off) in {(9, -10), (-9, 10)} for change, off in slips)
    assert forgotten / len(slips) > 0.6


def test_wordings_vary():
    assert len({re.sub(r"\d+", "n", f"{w.reasoning}|{w.text}") for _, w in answers(0.0)[:200]}) > 10


def test_numbers_beyond_the_usual_range_are_worked_out_as_well():
    worked = answer(Solution(500, (70, -5)), random.Random(1), error_rate=1.0)
    assert final(worked) != 565
    assert len(equations(worked)) == 2
