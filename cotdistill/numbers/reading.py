"""Numbers of a short text in plain notation: separators, fractions, percent, multipliers, units.

`$1,234.50`  `1.234,50 €`  `3 1/2 hours`  `70,00,000`  `7万5千`  `1.5 × 10^3`  `192 million`  `80%`
"""

import re
from fractions import Fraction
from typing import NamedTuple

from cotdistill.numbers.digits import DecimalMark, read_digits
from cotdistill.numbers.notation import plain
from cotdistill.numbers.words import PLACES, WORD_NUMBER, word_value


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


class Number(NamedTuple):
    """A number as it was read."""

    text: str
    value: Fraction | int | None
    """None where digits state no value: a clock time, a ratio, a range, the base of a power, a factor (`2\\pi`),
    hundreds of digits."""
    is_percent: bool = False
    unit: str = ""
    """A name in `UNITS`; the empty one is a plain count."""


_TAIL = (  # what may follow the digits
    r"(?:(?P<ratio>(?::\d+)+)"
    r"| ?[×x*] ?10 ?(?:\^|\*\*) ?[{(]?(?P<exponent>[+-]?\d{1,3})(?!\d)[})]?"
    r"|e(?P<e>[+-]?\d{1,3})(?![\da-z])"
    r"| ?[-–—~×÷+] ?(?P<operand>[$€£]?\d[\d.,]*)(?![\d/])"  # a range or a term of a sum
    r"|[ -](?:and )?(?P<top>\d{1,9})/(?P<bottom>\d{1,9})(?![\d/])"
    r"| ?/ ?(?P<divisor>\d{1,18})(?P<date>/\d+)?"
    r"|(?P<power> ?\^|\*\*\d|_[{\d]"
    r"|[ ×*]{0,3}(?:\\(?:sqrt|pi|[dtc]?frac|log|ln|sin|cos|tan)(?![a-z])|[π√]|sqrt|pi\b))"  # or a factor
    r")?"
)
_NUMBER: dict[DecimalMark, re.Pattern[str]] = {
    mark: re.compile(
        rf"(?P<han>\d[\d,]*(?:\.\d+)? ?[{PLACES}](?:\d*[{PLACES}])*\d*)|"
        rf"(?P<body>\d{{1,3}}(?: \d{{3}}(?!\d))+(?:{re.escape(mark)}\d+)?|(?:(?<![^\W_])\.)?\d+(?:[.,']\d+)*){_TAIL}"
    )
    for mark in (".", ",")
}
_DIGIT = re.compile(r"\.?\d")
_SCALES = {
    100: "hundred", 10**3: "thousand|k|tausend|mil|mille|mila|тыс\\w*", 10**5: "lakhs?|lacs?|लाख|লাখ|লক্ষ|లక్షలు|లక్ష|แสน",
    10**6: "millions?|millionen|millón|millones|milhões|milhão|milioni|миллион\\w*|млн|ล้าน",
    10**7: "crores?|करोड़|কোটি|కోట్లు|కోటి", 10**9: "billions?|bn|milliards?|milliarden?|миллиард\\w*|млрд",
    10**12: "trillions?",
}  # fmt: skip
_SUFFIX = re.compile(
    r"[ *_-]{0,4}(?:(?P<percent>%|percent|per cent|prozent|por ciento|pour cent|por cento|процент)|(?:"
    + "|".join(rf"(?P<s{scale}>{names})" for scale, names in _SCALES.items())
    + r")(?![a-zà-ÿ]))"
)
_UNIT = re.compile(r"[ *_-]{0,4}([a-z¢]{1,20}|[元块塊角毛分])")
_NAME_AFTER = re.compile(r"(?:st|nd|rd|th)\b|[abd-fijn-rt-z](?![a-z])")
_NAME_BEFORE = re.compile(
    r"(?:[a-z]-|(?:\^|sqrt|boxed|\}|frac)\{|[_^\\√]|(?<!rs)(?<!usd)(?<!eur)(?<=[a-z])|"
    r"\b(?:step|part|question|problem|example|method|option|case|exercise|q)[ #]{1,2})$"
)
"""Ordinals, `7x`, `step 3`, `x2` and `cm^2` hold no numbers."""
_NEGATIVE = re.compile(r"(?:(?:^|[^\w)%°-])[-–]|(?:^|[=({:,]|\b(?:is|ist|es|est)) ?[-–] |\b(?:minus|negative) {1,3})$")


def number_spots(text: str, mark: DecimalMark) -> list[re.Match[str]]:
    """Return where a text in plain notation has numbers; ordinals, `7x`, `step 3`, `x2` and `cm^2` are none."""
    number, found, at = _NUMBER[mark], [], 0
    while digit := _DIGIT.search(text, at):  # three times as fast as to look for a number at every character
        spot = number.match(text, digit.start()) or number.match(text, digit.end() - 1)
        assert spot is not None
        at = spot.end()
        if not _NAME_AFTER.match(text, at) and not _NAME_BEFORE.search(text, max(0, spot.start() - 12), spot.start()):
            found.append(spot)
    return found


def word_spots(text: str) -> list[re.Match[str]]:
    """Return where a text has numbers written as English words; `half an hour` is a part of a unit that is none."""
    found = (spot for spot in WORD_NUMBER.finditer(text) if word_value(spot[0]) is not None)
    return [spot for spot in found if not (spot[0].endswith("half") and text.startswith((" a ", " an "), spot.end()))]


def read_number(spot: re.Match[str], mark: DecimalMark) -> Number:
    """Return the number at a spot with its sign, its multiplier and its unit."""
    text, (start, end) = spot.string, spot.span()
    before = text[max(0, start - 14) : start]
    if spot.re is WORD_NUMBER or spot["han"]:
        value: Fraction | int | None = word_value(spot[0])
    else:
        value = _tail_value(spot, mark, before, text[end : end + 1])
    is_percent = False
    while value is not None and not is_percent and (suffix := _SUFFIX.match(text, end)):
        end, is_percent = suffix.end(), bool(suffix["percent"])
        value *= 1 if is_percent else int((suffix.lastgroup or "")[1:])
    sign = before.rstrip("$€£¥₹฿₽*")
    if value and sign.rstrip(" ").endswith(("-", "–", "minus", "negative")) and _NEGATIVE.search(sign):
        value, start = -value, start - (len(before) - len(sign)) - 1
    unit = "$" if before.rstrip("*").endswith("$") else _unit(text, end)
    return Number(text[start:end].strip("* .,"), value, is_percent, unit)


def _tail_value(match: re.Match[str], mark: DecimalMark, before: str, after: str) -> Fraction | int | None:
    """Return the value of digits with what follows them; None in an interval."""
    if before.endswith(("[", "(")) and after in ("]", ")") and "," in match["body"]:
        return None
    value = read_digits(match["body"], mark)
    if value is None or match.lastgroup == "body":
        return value
    if match["ratio"] or match["operand"] or match["power"] or match["date"]:
        return None
    parts, divisor = int(match["bottom"] or 1), int(match["divisor"] or 1)
    if not parts or not divisor:
        return None
    exponent = int(match["exponent"] or match["e"] or 0)
    return (value + Fraction(int(match["top"] or 0), parts)) / divisor * Fraction(10) ** exponent


def _unit(text: str, end: int) -> str:
    word = _UNIT.match(text, end)
    return word[1] if word and word[1] in UNITS else ""


def sole_value(text: str) -> Fraction | int | None:
    """Return the value of a text in any notation that is one number and nothing else but its currency."""
    text = plain(text).strip(" $€£¥₹")
    spots = number_spots(text, ".")
    if len(spots) != 1 or text[: spots[0].start()] not in ("", "-", "+") or spots[0].end() != len(text):
        return None
    return read_number(spots[0], ".").value
