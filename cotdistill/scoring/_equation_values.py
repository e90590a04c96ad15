"""The value of a side of an equation, as an exact fraction."""

from collections.abc import Sequence
from fractions import Fraction

from cotdistill.numbers.digits import DecimalMark, digits_by
from cotdistill.scoring._equation_tokens import Token

MOST_DIGITS = 30
HIGHEST_POWER = 12
MOST_BITS = 100
"""Of what is raised to a power."""
_POWERS = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "^": 4}


def number_of(text: str, mark: DecimalMark) -> Fraction | None:
    """Return the value of digits with separators; None where they fit no rule with this decimal mark."""
    value = digits_by(text, mark) if len(text) <= MOST_DIGITS else None
    return Fraction(value) if value is not None else None


def decimals(text: str, mark: DecimalMark) -> int:
    """Return how many digits stand behind the decimal mark."""
    return len(text.partition(mark)[2])


def value_of(items: Sequence[Token], mark: DecimalMark) -> Fraction | None:
    """Return the value of numbers, operators and brackets; None where there is none: 1/0, a huge power.

    Two stacks (Dijkstra 1961), so that nothing recurses.
    """
    values: list[Fraction] = []
    waiting: list[str] = []
    for item in items:
        if item.kind == "number":
            number = number_of(item.text, mark)
            if number is None:
                return None
            values.append(number / 100 if item.is_percent else number)
        elif item.kind == "open":
            waiting.append("(")
        elif item.kind == "close":
            while waiting[-1] != "(":
                if not _apply(waiting.pop(), values):
                    return None
            waiting.pop()
        else:
            while waiting and waiting[-1] != "(" and _binds_first(waiting[-1], item.text):
                if not _apply(waiting.pop(), values):
                    return None
            waiting.append(item.text)
    while waiting:
        if not _apply(waiting.pop(), values):
            return None
    return values[0]


def _binds_first(earlier: str, later: str) -> bool:
    if later == "neg":
        return False
    return _POWERS[earlier] >= _POWERS[later] and not (earlier == later == "^")


def _apply(operator: str, values: list[Fraction]) -> bool:
    """Replace the last values by the operator's; False where it has none."""
    right = values.pop()
    if operator == "neg":
        values.append(-right)
        return True
    left = values.pop()
    if operator == "/" and not right:
        return False
    if operator == "^":
        if right.denominator != 1 or not 0 <= right <= HIGHEST_POWER or left.numerator.bit_length() > MOST_BITS:
            return False
        values.append(left ** int(right))
        return True
    values.append(
        left + right
        if operator == "+"
        else left - right
        if operator == "-"
        else left * right
        if operator == "*"
        else left / right
    )
    return True
