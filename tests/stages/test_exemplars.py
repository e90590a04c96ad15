"""Worked examples for few-shot prompts."""

import pytest

from cotdistill.errors import UserError
from cotdistill.records import Completion, Problem, Trace
from cotdistill.registry import make
from cotdistill.stages._exemplars import POOL, Exemplars, Pool

PLAIN = make("styles", "plain")


def traces(problems, rationales=1, text="It is 7."):
    return [
        Trace(
            problem=Problem(id=f"p{n}", question=f"q{n}", gold="7"),
            completion=Completion(key=f"k{n}", index=index, text=text, reasoning=f"r{n}.{index}"),
        )
        for n in range(problems)
        for index in range(rationales)
    ]


def exemplars(given, *, seed=1, count=4, style=PLAIN):
    pool = Pool(seed)
    for trace in given:
        pool.offer(trace)
    return Exemplars.of(pool, style, count)


def test_the_examples_are_of_other_problems_and_of_as_many_as_asked():
    given = traces(6, rationales=3)
    drawn = exemplars(given)
    for trace in given:
        ids = [shot.problem.id for shot in drawn.draw(trace)]
        assert len(set(ids)) == 4
        assert trace.problem.id not in ids


def test_the_examples_depend_on_the_seed_and_not_on_the_order_of_the_rows():
    given = traces(40)
    first = [exemplars(given).draw(trace) for trace in given]
    assert first == [exemplars(given[::-1]).draw(trace) for trace in given]
    assert first != [exemplars(given, seed=2).draw(trace) for trace in given]
    assert len({tuple(shot.problem.id for shot in shots) for shots in first}) > 30, "rows share their examples"


def test_a_large_set_keeps_the_same_pool_whatever_comes_first():
    given = traces(5 * POOL)
    assert len(exemplars(given).traces) == POOL
    assert exemplars(given).traces == exemplars(given[::-1]).traces


def test_too_few_problems_are_the_users_fault():
    assert exemplars(traces(5))
    with pytest.raises(UserError, match="need rationales of 5 problems; there are 4"):
        exemplars(traces(4, rationales=9))
    with pytest.raises(UserError, match="there are 0"):
        exemplars(traces(9, text=" "), style=make("styles", "answer_only"))


def test_no_examples_need_no_pool():
    assert exemplars([], count=0).draw(traces(1)[0]) == ()
