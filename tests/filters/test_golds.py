import pytest

from cotdistill.filters.golds import canonical, differ


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("72", "72.0"),
        ("1,000/1000", "1"),
        ("1,000", " 1000 "),
        ("1e3", "1000"),
        ("½", "0.5"),
        ("$5", "5.00"),
        (r"\frac{3}{4}", "0.75"),
        (r"$-\dfrac{1}{2}$", "-.5"),
        (r"\boxed{７２}", "72"),
        ("\N{MINUS SIGN}3", "-3"),
        ("Yes", "yes"),
    ],
)
def test_one_answer_written_twice_is_one_answer(one, other):
    assert canonical(one) == canonical(other)
    assert not differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("72", "720"), ("1/2", "2"), ("-3", "3"), ("1,000", "1"), ("0.5", "5")),
        *(("A", "B"), ("72", "x + 1"), ("1/0", "3"), ("1e999999999", "2"), ("", "2"), ("Quito", "Cairo")),
    ],
)
def test_other_answers_are_told_apart(one, other):
    assert canonical(one) != canonical(other)
    assert differ(one, other)


@pytest.mark.parametrize(("one", "other"), [("72", None), (None, "72"), (None, None)])
def test_where_a_gold_is_missing_nothing_is_said(one, other):
    assert not differ(one, other)
