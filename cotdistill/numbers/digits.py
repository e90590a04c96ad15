"""Digits with separators: `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`, `12,34,567`."""

from fractions import Fraction
from typing import Literal

DecimalMark = Literal[".", ","]
MAX_DIGITS = 60
"""Longer runs of digits are no number that is meant; converting them would take quadratic time."""


def read_digits(digits: str, mark: DecimalMark) -> Fraction | int | None:
    """Return the value of digits with separators, by this decimal mark if it fits, else by the other one."""
    if not digits.isdecimal():
        digits = digits.replace("'", "").replace(" ", "")
    value = digits_by(digits, mark)
    return value if value is not None else digits_by(digits, "," if mark == "." else ".")


def digits_by(digits: str, mark: DecimalMark) -> Fraction | int | None:
    """Return the value of digits with this decimal mark; None where their separators fit no rule (`1,2,3`)."""
    if len(digits) > MAX_DIGITS:
        return None
    if digits.isdecimal():
        return int(digits)
    grouping = "," if mark == "." else "."
    whole, _, decimals = digits.partition(mark)
    is_whole = whole.isdecimal() or not whole or _is_grouped(whole.split(grouping))
    if not is_whole or (decimals and not decimals.isdecimal()):
        return None
    whole = whole.replace(grouping, "") or "0"
    return Fraction(f"{whole}.{decimals}") if decimals else int(whole)


def _is_grouped(groups: list[str]) -> bool:
    """Return whether these are thousands (`1 234 567`) or the lakhs and crores of India (`12 34 567`)."""
    first, *middle, last = map(len, groups)
    size = 2 if 2 in middle or (first <= 2 and not middle) else 3
    return last == 3 and 0 < first <= size and set(middle) <= {size} and not groups[0].startswith("0")
