"""The equations that a rationale states, and how many of them hold: a student that copies the form does not compute.

    48 / 2 = 24      3 × 4 = 12      48/2=<<48/2=24>>24      $5 + $10 = $15      10 / 3 ≈ 3.33      20% of 50 = 10

Read for sure or not at all: what stands left must have something to compute, and every number of it must be
written out. `x + 2 = 5`, `1 hour = 60 minutes`, `half of 16 + 2 = 10` and `1 hour - 20 minutes = 40 minutes` are left
alone. Values are exact; what is written with decimals is compared as far as they go.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from cotdistill.numbers.digits import DecimalMark
from cotdistill.records import Equations
from cotdistill.scoring._equation_sides import Side, left_side, right_side
from cotdistill.scoring._equation_tokens import Token, plain, tokens
from cotdistill.scoring._equation_values import decimals, number_of, value_of

LONGEST_LINE = 4000
"""Characters; a longer line is cut into pieces of this length, and an equation at a cut is not counted."""

MOST_EQUATIONS = 1000
"""Counted of one text; a rationale of more goes round in circles."""
SIDE_CHARS = 200
"""Of a line, looked at on either side of an equal sign; what is longer is no equation that people write."""

_SIGN = re.compile(r"((?<![<>!:=≠≤≥])[=＝](?![=>])|[≈≃≅])")
_DIGIT = re.compile(r"\d")
_LAST_DIGIT = re.compile(r"\d[^\n]{0,60}$")
_OPERATION = re.compile(r"[^\w\s.,;:!?'\"$€£\])}]|[xX²³]|\b(?:plus|minus|times|by|of)\b|\d\s?[(\[]")
"""Anything that may be an operator: without one there is nothing to compute."""
_TO_CLAUSE = re.compile(r".*[.;:!?,]\s(?=.*\d)", re.DOTALL)
_SENTENCE = re.compile(r"[.;!?]\s")
_CALCULATOR = re.compile(r"<<([^<>\n]{1,200})>>")

_FAMILIES = (
    "second sec s minute min hour hr h day week month year decade century",
    "$ dollar buck cent penny nickel dime quarter € euro £ pound",
    "inch in foot feet ft yard mile meter metre m cm centimeter mm millimeter km kilometer",
    "gram g kg kilogram mg ton tonne pound lb ounce oz",
    "liter litre l ml milliliter gallon quart pint cup tablespoon teaspoon ounce",
)
"""Units that are converted into each other, in the singular."""
_FAMILY = {name: i for i, names in enumerate(_FAMILIES) for name in names.split()}
_FACTORS = frozenset(
    Fraction(factor)
    for factor in (2, 3, 4, 5, 7, 8, 10, 12, 16, 24, 25, 30, 36, 52, 60, 100, 365, 1000, 1440, 3600, 5280)
)
_NAMES = {"$": "dollar", "feet": "foot", "€": "euro", "£": "pound", "pennies": "penny", "inches": "inch"}


class Equation(NamedTuple):
    """An equation as it was read."""

    left: Fraction
    right: Fraction
    holds: bool


def count_equations(text: str) -> Equations | None:
    """Return how many equations a text states and how many hold; None where it states none that can be read.

    Takes time in proportion to the text's length, whatever it holds.
    """
    found = list(islice(read_equations(text), MOST_EQUATIONS))
    return Equations(stated=len(found), held=sum(e.holds for e in found)) if found else None


def read_equations(text: str) -> Iterator[Equation]:
    """Yield the equations of a text in the order in which they are stated."""
    for line in text.splitlines():
        if "=" not in line and "≈" not in line and "＝" not in line and "approx" not in line:
            continue
        for start in range(0, len(line), LONGEST_LINE):
            yield from _in_line(line[start : start + LONGEST_LINE])


def _in_line(line: str) -> Iterator[Equation]:
    inside = [equation for note in _CALCULATOR.findall(line) for equation in _chain(note)]
    outside = list(_chain(_CALCULATOR.sub("", line)))
    yield from outside
    # A calculator's note repeats the equation that it stands in; what it says otherwise is an equation more.
    said = {(e.left, e.right) for e in outside}
    yield from (e for e in inside if (e.left, e.right) not in said)


def _chain(line: str) -> Iterator[Equation]:
    """Yield an equation for each equal sign with something to read on both sides: a = b = c is two."""
    pieces = _SIGN.split(plain(line))
    for before, sign, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
        if not _LAST_DIGIT.search(before[-SIDE_CHARS:]) or not _DIGIT.search(after[:SIDE_CHARS]):
            continue
        tail = _tail(before)
        if not _OPERATION.search(tail):
            continue
        left = left_side(list(tokens(tail)))
        right = right_side(list(tokens(_head(after)))) if left is not None and left.has_operator else None
        if left is not None and right is not None:
            equation = _judge(left, right, is_about=sign not in "=＝")
            if equation is not None:
                yield equation


def _tail(text: str) -> str:
    """Return the end of a text that a side fits into: the last clause, and the sign before it."""
    if len(text) > SIDE_CHARS:
        text = f"… {text[-SIDE_CHARS:].partition(' ')[2]}"
    clause = _TO_CLAUSE.match(text)
    return text[max(0, clause.end() - 5) :] if clause else text


def _head(text: str) -> str:
    """Return the beginning of a text that a side fits into: the rest of the sentence."""
    if len(text) > SIDE_CHARS:
        text = f"{text[:SIDE_CHARS].rpartition(' ')[0]} …"
    sentence = _SENTENCE.search(text)
    return text[: sentence.end()] if sentence else text


def _judge(left: Side, right: Side, *, is_about: bool) -> Equation | None:
    """Return the equation with its truth; None where its units or its rounding leave that open."""
    if left.is_sum and _mixes_units(left, right):
        return None
    if left.is_sum and _mixes_percents(left.items):
        return None
    best = _reading(left, right, ".", is_about=is_about)
    if (best is None or not best.holds) and _has_separator((*left.items, *right.items)):
        other = _reading(left, right, ",", is_about=is_about)
        best = other if other is not None and (best is None or other.holds) else best
    if best is None or best.holds or not _is_unsure(best, left, right):
        return best
    return None


def _reading(left: Side, right: Side, mark: DecimalMark, *, is_about: bool) -> Equation | None:
    here, there = value_of(left.items, mark), value_of(right.items, mark)
    if here is None or there is None:
        return None
    holds = _agree(here, there, right.items, mark, is_about=is_about)
    if not holds and right.items[-1].is_percent and not any(item.is_percent for item in left.items):
        # 5 / 20 × 100 = 25%
        holds = _agree(here, there * 100, right.items, mark, is_about=is_about, is_plain=True)
    return Equation(here, there, holds)


def _agree(
    here: Fraction,
    there: Fraction,
    items: Sequence[Token],
    mark: DecimalMark,
    *,
    is_about: bool,
    is_plain: bool = False,
) -> bool:
    """Return whether two values agree as far as the right one is written out."""
    if here == there:
        return True
    if len(items) > 2:
        return is_about and abs(here - there) * 100 <= abs(here)
    written = items[-1]
    places = decimals(written.text, mark) + (2 if written.is_percent and not is_plain else 0)
    step = Fraction(1, 10**places)
    if is_about and places == 0:
        step = _last_digit(written.text, mark)
    if not is_about and (places == 0 or (here / step).denominator == 1):
        # Exact where so many decimals can hold it.
        return False
    is_rounded = abs(here - there) * 2 <= step
    is_cut_off = here * there > 0 and 0 <= abs(here) - abs(there) < step
    return is_rounded or is_cut_off


def _last_digit(text: str, mark: DecimalMark) -> Fraction:
    """Return what the last digit of a whole number stands for that is not 0: 100 of 4,800."""
    number = number_of(text, mark) or Fraction(0)
    digits = str(int(number))
    return Fraction(10 ** (len(digits) - len(digits.rstrip("0"))) if number else 1)


def _is_unsure(equation: Equation, left: Side, right: Side) -> bool:
    """Return whether what looks false may mean something else: a part of a whole, a conversion that is not said."""
    here, there = abs(equation.left), abs(equation.right)
    divisions = sum(item.text == "/" for item in left.items)
    # A part of a whole (1/4 = 5 apples), and `28 / 1/5`, of which nobody knows what is divided by what.
    if divisions > 1 or (divisions and 0 < here <= 1 < there):
        return True
    numbers = [item for item in left.items if item.kind == "number"]
    if all(item.is_percent for item in numbers) and there > 1:
        return True
    if not here or not there:
        return False
    # Numbers that were rounded before: 2.833 × 6 = 17.
    if any("." in item.text[:-2] for item in numbers) and abs(here - there) * 1000 < here:
        return True
    is_converted = here / there in _FACTORS or there / here in _FACTORS
    return _mixes_units(left, right) or (is_converted and bool(_convertible(left) or _convertible(right)))


def _convertible(side: Side) -> dict[str, int]:
    """Return the units that are converted into others, with their family."""
    names = (_NAMES.get(unit, unit) for unit in side.units)
    singular = ((name if name in _FAMILY else name.removesuffix("s")) for name in names)
    return {name: _FAMILY[name] for name in singular if name in _FAMILY}


def _mixes_units(left: Side, right: Side) -> bool:
    units = {**_convertible(left), **_convertible(right)}
    return len(set(units.values())) < len(units)


def _mixes_percents(items: Sequence[Token]) -> bool:
    """Return whether percentages are added to plain numbers: $50 - 20% is taken of the 50."""
    numbers = [item.is_percent for item in items if item.kind == "number"]
    return any(numbers) and not all(numbers) and not any(item.text == "*" for item in items)


def _has_separator(items: Sequence[Token]) -> bool:
    return any(item.kind == "number" and ("," in item.text or "." in item.text) for item in items)
