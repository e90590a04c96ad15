from fractions import Fraction

import pytest

from cotdistill.numbers.digits import digits_by, read_digits


@pytest.mark.parametrize(
    ("digits", "point", "comma"),
    [
        ("1,234", 1234, "1.234"),
        ("1.234", "1.234", 1234),
        ("1,234.5", 1234.5, None),
        ("12,34,567", 1234567, None),
        ("1,5", None, 1.5),
        ("1,2,3", None, None),
        (".5", 0.5, None),
        ("7" * 61, None, None),
    ],
)
def test_a_decimal_mark_fits_or_not(digits, point, comma):
    assert digits_by(digits, ".") == (point if point is None else Fraction(point))
    assert digits_by(digits, ",") == (comma if comma is None else Fraction(comma))


def test_where_one_mark_does_not_fit_the_other_is_meant():
    assert read_digits("1,5", ".") == 1.5
    assert read_digits("1.234.567", ".") == 1234567
    assert read_digits("1'234.5", ",") == 1234.5
