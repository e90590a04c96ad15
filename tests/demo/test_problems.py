"""The word problems: distinct, the same for a seed, and readable by their solver."""

import re
from itertools import islice

import pytest

from cotdistill.demo.problems import LARGEST, Solution, make_problems, solve
from cotdistill.records import problem_id

MANY = list(make_problems(20_000, seed=7))
ONE = "Ben has 23 pears. Ben buys 9 more. A friend takes 8. How many are there now?"


def test_questions_are_distinct_and_named_by_their_text():
    assert len({problem.question for problem in MANY}) == len(MANY)
    assert all(problem.id == problem_id(problem.question) for problem in MANY)


def test_every_problem_is_solved_by_its_gold_within_range():
    for problem in MANY:
        solution = solve(problem.question)
        assert solution is not None
        assert str(solution.final) == problem.gold
        assert all(0 <= amount <= LARGEST for amount in solution.amounts)
        assert 2 <= len(solution.changes) <= 4


def test_numbers_are_written_as_plain_digits_up_to_the_largest():
    assert all(int(n) <= LARGEST for problem in MANY for n in re.findall(r"\d+", problem.question))


def test_a_seed_gives_the_same_sequence_and_another_seed_another():
    first = list(make_problems(50, seed=7))
    assert first == list(islice(make_problems(80, seed=7), 50)) == MANY[:50]
    assert not {p.question for p in make_problems(50, seed=8)} & {p.question for p in first}


@pytest.mark.parametrize("steps", [(1, 1), (2, 2), (5, 9)])
def test_steps_bound_the_number_of_changes(steps):
    for problem in make_problems(200, seed=1, steps=steps):
        solution = solve(problem.question)
        assert solution is not None
        assert steps[0] <= len(solution.changes) <= steps[1]


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"You are a patient father. Solve this: {ONE}\nThink step by step.",
        ONE.replace(". ", ".\n"),
        "Ada has 5 eggs. Ada loses 2. How many eggs are left?\nAnswer: 3\n\n" + ONE,
    ],
)
def test_the_last_problem_is_found_inside_a_prompt(text):
    assert solve(text) == Solution(23, (9, -8))


@pytest.mark.parametrize(
    "text",
    ["", "What is 2 + 2?", ONE.partition(" How")[0], "Ben has 23 pears. How many pears are left?", "\0 ٣ {n}"],
)
def test_text_without_a_problem_has_no_solution(text):
    assert solve(text) is None
