import pytest

from cotdistill.filters.golds import are_other_numbers, canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("72", "72.0"),
        ("1,000/1000", "1"),
        ("1,000", " 1000 "),
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
    assert not are_other_numbers(one, other)


@pytest.mark.parametrize(("one", "other"), [("72", "720"), ("1/2", "2"), ("-3", "3"), ("1,000", "1"), ("0.5", "5")])
def test_other_numbers_are_told_apart(one, other):
    assert canonical(one) != canonical(other)
    assert are_other_numbers(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("72", None), (None, None), ("A", "B"), ("72", "x + 1"), ("1/0", "3"), ("1e999999999", "2"), ("", "")],
)
def test_what_is_no_number_is_not_called_another_one(one, other):
    assert not are_other_numbers(one, other)
