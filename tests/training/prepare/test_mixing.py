"""Several sets of conversations as one."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.records import Conversation, Message
from cotdistill.training.option_types import Share
from cotdistill.training.prepare.mixing import mix, rows_per_dataset


def rows(name, count):
    messages = (Message(role="user", content="q"), Message(role="assistant", content="a"))
    return [Conversation(id=f"{name}{n}", messages=messages) for n in range(count)]


def mixed(sizes, seed=1, **weights):
    shares = [Share(name=name, weight=weights.get(name)) for name in sizes]
    found = mix(shares, lambda name: iter(rows(name, sizes[name])), sizes.__getitem__, seed=seed)
    return [row.id for row in found]


def test_sets_without_weights_are_taken_whole_one_after_the_other():
    assert mixed({"b": 2, "a": 3}) == ["b0", "b1", "a0", "a1", "a2"]


def test_a_weight_is_the_share_of_all_rows():
    found = mixed({"traces": 800, "general": 5000}, general=0.2)
    assert len(found) == 1000
    assert found[:800] == [f"traces{n}" for n in range(800)]
    assert len(set(found)) == 1000


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=5), st.lists(st.integers(1, 99), min_size=5, max_size=5))
def test_where_all_have_weights_the_shares_hold_and_no_row_is_taken_twice(sizes, parts):
    total = sum(parts[: len(sizes)])
    shares = [Share(name=str(n), weight=part / total) for n, part in enumerate(parts[: len(sizes)])]
    taken = rows_per_dataset(shares, {str(n): size for n, size in enumerate(sizes)})
    count = sum(taken.values())
    for share, size in zip(shares, sizes, strict=True):
        assert taken[share.name] <= size
        assert abs(taken[share.name] - share.weight * count) <= len(sizes)


def test_the_choice_depends_on_the_seed_and_hardly_on_the_length_of_the_set():
    first = mixed({"t": 80, "g": 1000}, g=0.2)
    assert first == mixed({"t": 80, "g": 1000}, g=0.2)
    assert first != mixed({"t": 80, "g": 1000}, seed=2, g=0.2)
    longer = mixed({"t": 80, "g": 1010}, g=0.2)
    assert len(set(first) & set(longer)) >= len(first) - 3


def test_a_set_too_small_for_its_share_is_taken_whole_and_said_so(caplog):
    with caplog.at_level(logging.WARNING):
        assert len(mixed({"t": 80, "g": 5}, g=0.2)) == 85
    assert "g has 5 rows of the 20 that its weight asks for: all are taken" in caplog.text


@pytest.mark.parametrize("weight", [0.0001, 0.5, 0.9999])
def test_any_share_can_be_asked_for(weight):
    found = mixed({"t": 50, "g": 10**4}, g=weight)
    assert sum(row.startswith("t") for row in found) == 50
