"""Reads the numbers of a short text in plain notation: separators, fractions, percent, multipliers, units.

`$1,234.50`  `1.234,50 €`  `3 1/2 hours`  `70,00,000`  `7万5千`  `1.5 × 10^3`  `192 million`  `80%`
"""

import re
from fractions import Fraction
from typing import Literal, NamedTuple

from cotdistill.verifiers._notation import THIN_SPACE
from cotdistill.verifiers._units import UNITS
from cotdistill.verifiers._words import WORD_NUMBER, word_value

DecimalMark = Literal[".", ","]


class Number(NamedTuple):
    """A number as it was read."""

    text: str
    value: Fraction | int | None
    """None where digits state no value: a clock time, a ratio, a range, the base of a power, a factor (`2\\pi`),
    hundreds of digits."""
    is_percent: bool = False
    unit: str = ""
    """A name in `UNITS`; the empty one is a plain count."""


_GROUPED = rf"\d+(?:[.,'{THIN_SPACE}]\d+)*"
_SPACED = r"\d{1,3}(?: \d{3}(?!\d))+"

_TAIL = (  # what may follow the digits
    r"(?:(?P<ratio>(?::\d+)+)"
    r"| ?[×x*] ?10 ?(?:\^|\*\*) ?[{(]?(?P<exponent>[+-]?\d{1,3})(?!\d)[})]?"
    r"|e(?P<e>[+-]?\d{1,3})(?![\da-z])"
    r"| ?[-–—~×÷+] ?(?P<operand>[$€£]?\d[\d.,]*)(?![\d/])"  # a range or a term of a sum
    r"|[ -](?:and )?(?P<top>\d{1,9})/(?P<bottom>\d{1,9})(?![\d/])"
    r"| ?/ ?(?P<divisor>\d{1,18})(?P<date>/\d+)?"
    r"|(?P<power> ?\^|\*\*\d|_[{\d]|[⁰¹²³⁴-⁹]"
    r"|[ ×*]{0,3}(?:\\(?:sqrt|pi|[dtc]?frac|log|ln|sin|cos|tan)(?![a-z])|[π√]|sqrt|pi\b))"  # or a factor
    r")?"
)

_NUMBER: dict[DecimalMark, re.Pattern[str]] = {
    ".": re.compile(rf"(?P<body>{_SPACED}(?:\.\d+)?|{_GROUPED}){_TAIL}"),
    ",": re.compile(rf"(?P<body>{_SPACED}(?:,\d+)?|{_GROUPED}){_TAIL}"),
}

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
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_ALGEBRA = re.compile(r"[abd-fijn-rt-z](?![a-z])")
_LABEL = re.compile(r"\b(?:step|part|question|problem|example|method|option|case|exercise|q)[ #]{1,2}$")
_NEGATIVE = re.compile(
    rf"(?:(?:^|[^\w)%°-])[-–]|(?:^|[=({{:,]|\b(?:is|ist|es|est))[ {THIN_SPACE}]?[-–][ {THIN_SPACE}]|"
    r"\b(?:minus|negative) {1,3})$"
)
_HAN = {"百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12}
_HAN_SCALE = re.compile(rf" ?([{''.join(_HAN)}]{{1,4}})")

_MAX_DIGITS = 60
"""Longer runs of digits are no answer; converting them would take quadratic time."""


def number_spots(text: str, mark: DecimalMark) -> list[re.Match[str]]:
    """Return where a text in plain notation has numbers; ordinals, `7x`, `step 3`, `x2` and `cm^2` are none."""
    return [spot for spot in _NUMBER[mark].finditer(text) if not _is_part_of_name(text, *spot.span())]


def word_spots(text: str) -> list[re.Match[str]]:
    """Return where a text has numbers written as English words; `half an hour` is a part of a unit that is none."""
    found = (spot for spot in WORD_NUMBER.finditer(text) if word_value(spot[0]) is not None)
    return [spot for spot in found if not (spot[0].endswith("half") and text.startswith((" a ", " an "), spot.end()))]


def read_number(spot: re.Match[str], mark: DecimalMark) -> Number:
    """Return the number at a spot with its sign, its multiplier and its unit."""
    text, (start, end) = spot.string, spot.span()
    before = text[max(0, start - 14) : start]
    if not spot[0][0].isdecimal():
        in_words = word_value(spot[0])
        if in_words is not None and before.rstrip().endswith(("minus", "negative")):
            return Number(before.split()[-1] + " " + spot[0], -in_words)
        return Number(spot[0], in_words, unit=_unit(text, end))
    is_interval = before.endswith(("[", "(")) and text[end : end + 1] in ("]", ")") and "," in spot["body"]
    digits = None if is_interval else read_digits(_with_zero(before, spot["body"]), mark)
    value = _tail_value(spot, digits)
    is_percent = False
    if value is not None:
        if not text[end : end + 2].isascii():
            value, end = _han_scaled(text, end, value, mark)
        value, end, is_percent = _scaled(text, end, value)
    sign = before.rstrip("$€£¥₹฿₽*")
    if value and sign.rstrip(f" {THIN_SPACE}").endswith(("-", "–", "minus", "negative")) and _NEGATIVE.search(sign):
        value, start = -value, start - (len(before) - len(sign)) - 1
    unit = "$" if before.rstrip("*").endswith("$") else _unit(text, end)
    return Number(text[start:end].strip("* .,"), value, is_percent, unit)


def read_digits(digits: str, mark: DecimalMark) -> Fraction | int | None:
    """Return the value of digits with separators; None where these fit no rule (`1,2,3`)."""
    digits = digits.replace(THIN_SPACE, "").replace("'", "").replace(" ", "")
    if len(digits) > _MAX_DIGITS:
        return None
    if digits.isdecimal():
        return int(digits)
    if "." in digits and "," in digits:
        mark = "." if digits.rfind(".") > digits.rfind(",") else ","
        grouping = "," if mark == "." else "."
    else:
        present: DecimalMark = "." if "." in digits else ","
        grouping = present
        if present == mark and digits.count(mark) == 1:
            return Fraction(digits.replace(mark, "."))
        if digits.count(present) == 1 and not _is_grouped(digits.split(present)):
            return Fraction(digits.replace(present, "."))
        mark = "," if present == "." else "."
    whole, _, decimals = digits.partition(mark)
    if not (decimals.isdecimal() or not decimals) or not _is_grouped(whole.split(grouping)):
        return None
    return Fraction(f"{whole.replace(grouping, '')}.{decimals or 0}")


def _is_grouped(groups: list[str]) -> bool:
    """Return whether these are thousands (`1 234 567`) or the lakhs and crores of India (`12 34 567`)."""
    first, *middle, last = groups
    if len(last) != 3 or first.startswith("0") or not first:
        return False
    return (len(first) <= 3 and all(len(g) == 3 for g in middle)) or (
        len(first) <= 2 and all(len(g) == 2 for g in middle)
    )


def _is_part_of_name(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if after.isalpha() and after.isascii() and (_ORDINAL.match(text, end) or _ALGEBRA.match(text, end)):
        return True
    if before == "-":
        return start > 1 and text[start - 2].isascii() and text[start - 2].isalpha()
    if before == "{":
        return text.endswith(("^{", "sqrt{", "boxed{", "}{", "frac{"), 0, start)
    if before in ("_", "^", "\\", "√") or (before in _HAN and text[start - 2 : start - 1].isdecimal()):
        return True
    if before.isascii() and before.isalpha():
        return not text.endswith(("rs", "usd", "eur"), 0, start)
    return before in (" ", "#") and bool(_LABEL.search(text, max(0, start - 12), start))


def _scaled(text: str, end: int, value: Fraction | int) -> tuple[Fraction | int, int, bool]:
    """Return the value and the end of `192 million` or `80 %`, and whether it is a percentage."""
    for _ in range(3):  # `3 hundred thousand %`
        suffix = _SUFFIX.match(text, end)
        if suffix is None:
            break
        end = suffix.end()
        if suffix["percent"]:
            return value, end, True
        value *= int((suffix.lastgroup or "s1")[1:])
    return value, end, False


def _with_zero(before: str, body: str) -> str:
    """Return `0.5` for the digits of `.5`."""
    return f"0.{body}" if before.endswith(".") and body.isdecimal() and not before[:-1][-1:].isalnum() else body


def _tail_value(match: re.Match[str], value: Fraction | int | None) -> Fraction | int | None:
    if value is None or match["ratio"] or match["operand"] or match["power"] or match["date"]:
        return None
    if match["bottom"]:
        return value + Fraction(int(match["top"]), int(match["bottom"])) if int(match["bottom"]) else None
    if match["divisor"]:
        return Fraction(value, int(match["divisor"])) if int(match["divisor"]) else None
    exponent = match["exponent"] or match["e"]
    return value * Fraction(10) ** int(exponent) if exponent else value


def _han_scaled(text: str, end: int, value: Fraction | int, mark: DecimalMark) -> tuple[Fraction | int, int]:
    """Return the value and the end of `7万5千`, where each part has its own multiplier."""
    total: Fraction | int = 0
    while scale := _HAN_SCALE.match(text, end):
        for character in scale[1]:
            value *= _HAN[character]
        total, value, end = total + value, 0, scale.end()
        more = _NUMBER[mark].match(text, end)
        digits = read_digits(more["body"], mark) if more else None
        if more is None or digits is None:
            break
        value, end = digits, more.end("body")
    return total + value, end


def _unit(text: str, end: int) -> str:
    word = _UNIT.match(text, end)
    return word[1] if word and word[1] in UNITS else ""
