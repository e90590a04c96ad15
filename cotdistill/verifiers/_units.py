"""Units that convert into each other, to know `240 minutes (4 hours)` for one quantity said twice."""

from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    """What a unit measures and how many of the smallest one it is."""

    dimension: str
    factor: Fraction


_TABLE = {
    "time": {"second seconds sec secs s": 1, "minute minutes min mins": 60, "hour hours hr hrs h": 3600,
             "day days": 86400, "week weeks": 604800},
    "calendar": {"month months": 1, "year years": 12, "decade decades": 120},
    "money": {"¢ cent cents penny pennies": 1, "$ dollar dollars usd": 100},
    "metric length": {"mm millimeters millimetres": 1, "cm centimeters centimetres centimeter": 10,
                      "m meter meters metre metres": 1000, "km kilometer kilometers kilometres": 1000000},
    "length": {"inch inches in": 1, "foot feet ft": 12, "yard yards yd": 36, "mile miles mi": 63360},
    "metric mass": {"mg milligrams": 1, "g gram grams": 1000, "kg kilogram kilograms kgs": 1000000},
    "mass": {"oz ounce ounces": 1, "lb lbs pound pounds": 16, "ton tons": 32000},
    "metric volume": {"ml milliliter milliliters millilitres": 1, "l liter liters litre litres": 1000},
    "volume": {"cup cups": 1, "pint pints": 2, "quart quarts": 4, "gallon gallons": 16},
    "yuan": {"分": 1, "角 毛": 10, "元 块 塊": 100},
    "count": {"": 1, "dozen dozens": 12},
}  # fmt: skip

UNITS = {
    name: Unit(dimension, Fraction(factor))
    for dimension, units in _TABLE.items()
    for names, factor in units.items()
    for name in names.split() or [""]
}
"""Unit by each of its names; dimensions with no exact factor between them are kept apart."""
