import pytest

from cotdistill.filters.selection import chosen, reasons_against_surplus
from tests.support.traces import trace

ADDING = "add the three to the four and get seven in the end"
COUNTING = "count upwards from one until every finger of both hands is used but three"
TEXTS = [ADDING, ADDING + " yes", COUNTING, ADDING + " indeed yes", "seven"]


@pytest.mark.parametrize(
    ("prefer", "most", "expected"),
    [
        ("first", 2, [0, 1]),
        ("shortest", 2, [4, 0]),
        ("longest", 2, [2, 3]),
        ("diverse", 2, [0, 2]),
        ("diverse", 3, [0, 2, 4]),
        ("shortest", 9, [0, 1, 2, 3, 4]),
    ],
)
def test_the_preferred_ones_are_chosen(prefer, most, expected):
    assert chosen([trace(reasoning=text) for text in TEXTS], most, prefer) == expected


@pytest.mark.parametrize("prefer", ["first", "shortest", "longest", "diverse"])
def test_the_earlier_of_equals_is_chosen(prefer):
    assert chosen([trace()] * 5, 2, prefer) == [0, 1]


def test_what_is_not_chosen_says_how_many_were():
    found = reasons_against_surplus([trace(reasoning=text) for text in TEXTS], 2, "shortest")
    assert [bool(reason) for reason in found] == [False, True, True, True, False]
    assert found[1] == ("surplus", "5 of this problem are left, 2 are kept, by `prefer: shortest`")
    assert reasons_against_surplus([], 1, "diverse") == []
