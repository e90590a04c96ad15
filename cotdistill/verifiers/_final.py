"""Chooses which number of a statement is its result.

| order | rule | example (the result is 60) |
|---|---|---|
| 1 | parentheses restate, they do not answer | `60 minutes (1 hour)` |
| 2 | what follows the last equals sign | `12 x 5 = 60` |
| 3 | bold before plain | `In 5 days he earns **$60**` |
| 4 | not what is denied; a limit, a range, a part of an expression is no result | `not 50 but 60` |
| 5 | not the circumstances: `in 5 days`, `each of the 4` | `In 5 days he earns $60` |
| 6 | not a later clause: `to`, `because`, `which`, `than` … | `She needs 60 days to read 5 books` |
| 7 | hours with minutes, feet with inches are one quantity | `1 hour and 0 minutes` |
| 8 | alternatives and lists (`4 or 5`, `4 pens and 18 pencils`) are no result | |
| 9 | the last one that remains | `The 5 boxes last 60 nights` |
"""

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from cotdistill.verifiers._languages import ALL, pattern
from cotdistill.verifiers._numbers import DecimalMark, Number, number_spots, read_number, word_spots
from cotdistill.verifiers._units import UNITS
from cotdistill.verifiers._words import with_digits

_Spot = re.Match[str]


class Final(NamedTuple):
    """The result that a statement names."""

    text: str
    values: tuple[Number, ...] = ()
    """The same quantity in each unit that it is given in; empty where digits state no value (`2:30`)."""
    rivals: tuple[str, ...] = ()
    """Not empty where the statement names several results."""


_PARENTHESIS = re.compile(r"\([^()]*\)")
_EQUALS = re.compile(r"[=≈]|\b(?:equals|total(?:s|ing|ling)|a total of|adds? up to|comes? to)\b")
_CIRCUMSTANCE = re.compile(
    r"\b(?:in|after|for|over|within|during|by|at|from|with|of|per|every|each|on|than|if|when|until|before|since|"
    r"between|among|all|the|those|these|both|her|his|their|its|not|day|week|month|year|page|grade|room|age|"
    r"nach|für|von|mit|pro|alle|en|de|por|para|con|los|las|après|pour|avec|les|par|des|через|за|из|по|на|в)"
    r"[ *_$€£¥₹]{1,4}$"
)
_TOTAL_OF = re.compile(
    r"\b(?:total|sum|average|mean|rate|maximum|minimum|profit|loss|cost|distance|difference|discount|price|result|"
    r"answer|change|balance|weight|length|height|width|volume|area|speed|age|score|number|perimeter) "
    r"(?:of|is)[ *_$]{1,4}$"
)
_CLAUSE = re.compile(
    r"[*,]? (?:to (?!be\b)[a-z]+|because|since|so that|when|while|after|before|if|which|who|than|instead|given|"
    r"based on|out of|compared|assuming|por|para|porque|weil|damit|pour|parce|чтобы|потому)\b"
)
_OR = "@alternative@"
_LIST = r"\b(?:and|und|y|et|и)\b|[,;\n&/、]|和|@alternative@"
_JOINED = re.compile(r"[^\d\n.;=+×/]{0,24}")

_MOST_SPOTS = 200
_MOST_READ = 20
"""Numbers of one statement that are looked at, and compared with its last one: garbage has thousands."""


def final_of(text: str, mark: DecimalMark, codes: tuple[str, ...] = ALL) -> Final | None:
    """Return the result that a statement in plain notation names; None where it has no number."""
    spots = (number_spots(text, mark) or word_spots(text))[-_MOST_SPOTS:]
    if not spots and codes != ("en",):
        text = with_digits(text, codes)
        spots = number_spots(text, mark)[-_MOST_SPOTS:]
    spots = [spot for spot in spots if not is_denied(text, spot, codes)]
    if not spots:
        return None
    kept = _narrowed(text, spots, codes)
    while len(kept) > 1 and not _is_value(text, kept[-1], codes) and _is_value(text, kept[0], codes):
        kept = kept[:-1]  # `5 for all n > 1`
    last = read_number(kept[-1], mark)
    if last.value is None or not _is_value(text, kept[-1], codes) or _is_range(text, spots, kept[-1], codes):
        return Final(last.text)
    if len(spots) == 1:
        return Final(last.text, (last,))
    if compound := _compound(kept, last, mark):
        return Final(compound[0].text, compound)
    same = _conversions(last, [spot for spot in spots if spot is not kept[-1]], mark)
    return Final(last.text, same, _rivals(kept, same, mark, codes))


_DENIES = r"@denies@[^\w\n.,;]{0,4}(?:(?:the|equal to|simply|exactly|really)\W{1,3})?$"
_DENIED = r"[\w%]{0,6}[*_)\]$]{0,4}(?: ?[^\W\d]{1,12})? ?@denied@"
_BOUNDS = r"(?:@bounds@|^\W{0,6}(?:\w{1,12} ?)?@limits@)[^\w\n.,;]{0,4}$"
_BOUNDED = r"[^\w\n.]{0,3}(?:[^\W\d]{2,12} )?@bounded@|[*$]{0,2}\+(?! ?\d)"
_RANGE = r"[^\w\n.;]{0,4}(?:[^\W\d]{1,12}[^\w\n.;]{1,2}(?!a\b))??@to@[^\w\n.;]{0,3}|[~～〜±]|\\pm"
_BETWEEN = re.compile(r"(?:between|from|zwischen|von|entre|de|между|от|介于|从|kati ya|ระหว่าง)[^\w\n]{0,4}$")
_AND = re.compile(r"\W*(?:and|und|y|e|et|и|和|na|และ)\W*")
_ALGEBRA_BEFORE = re.compile(
    r"(?:(?:(?<![a-z'])[a-z]|[\d)\]}])\s?[-+*/×·÷−]|(?<![-=\n])[<>]|[≤≥≠±√^]|\\(?:pm|mp|[gl]e|[gl]eq|[gl]t|neq?|sqrt|log|ln|sin|cos|tan|c[ua]p|"
    r"pmod|bmod|mod|in|binom)(?![a-z]))[\s{($]{0,3}$"
)
_ALGEBRA_AFTER = re.compile(
    r"!(?=[,;=)}$]|\s?[=×/+])|[$}]{0,2}\s?(?:[_^]|(?:[-+*×·]\s?[b-hj-z]|/\s?[abd-fijn-rt-z])(?![a-z'])|"
    r"[+×·]\s?[(\\]|[<>≤≥≠±√]|"
    r"\\(?:pm|mp|[gl]eq?|[gl]t|neq?|c[ua]p|pmod|bmod|mod|sqrt|pi)(?![a-z]))|\((?=[a-z\d] ?[-+*/^)])"
)
_TUPLE = re.compile(r"[(\[{](?=[^()\[\]{}\n]{0,40},(?!\d{3}))[-\d\s.,/^+*π∞a-z\\]{3,60}[)\]}]")


def is_denied(text: str, spot: _Spot, codes: tuple[str, ...]) -> bool:
    """Return whether a number is named to be denied: `not 5`, `5 is wrong`."""
    before = text[max(0, spot.start() - 32) : spot.start()]
    return bool(pattern(_DENIES, codes).search(before)) or bool(pattern(_DENIED, codes).match(text, spot.end()))


def _is_value(text: str, spot: _Spot, codes: tuple[str, ...]) -> bool:
    """Return whether a number stands for itself: it is no limit (`at least 5`) and no part of an expression (`x+5`)."""
    start, end = spot.span()
    before = text[max(0, start - 32) : start]
    if pattern(_BOUNDS, codes).search(before) or pattern(_BOUNDED, codes).match(text, end):
        return False
    if _ALGEBRA_BEFORE.search(before, max(0, len(before) - 14)) or _ALGEBRA_AFTER.match(text, end):
        return False
    return not any(match.start() < start and end < match.end() for match in _TUPLE.finditer(text))


def _is_range(text: str, spots: list[_Spot], chosen: _Spot, codes: tuple[str, ...]) -> bool:
    """Return whether the chosen number is an end of a range: `5 to 7`, `between 5 and 7`."""
    for first, second in pairwise(spots):
        if chosen not in (first, second):
            continue
        between = text[first.end() : second.start()]
        if len(between) < 30 and (
            (_AND.fullmatch(between) and _BETWEEN.search(text, max(0, first.start() - 16), first.start()))
            or (not _AND.fullmatch(between) and pattern(_RANGE, codes).fullmatch(between))
        ):
            return True
    return False


def _narrowed(text: str, spots: list[_Spot], codes: tuple[str, ...]) -> list[_Spot]:
    """Return the numbers that the rules 1 to 6 leave, at least one."""
    if len(spots) == 1:
        return spots
    kept = spots
    if "(" in text:
        inside = [m.span() for m in _PARENTHESIS.finditer(text)]
        kept = [n for n in kept if not any(a < n.start() < b for a, b in inside)] or kept
    equals = [sign.end() for sign in _EQUALS.finditer(text)]
    for end in reversed(equals):
        if kept[-1].start() >= end and not pattern(_OR, codes).search(text, kept[0].end(), end):
            kept = [n for n in kept if n.start() >= end]
            break
    if "**" in text:
        kept = [n for n in kept if text.count("**", 0, n.start()) % 2] or kept
    if len(kept) > 1:
        kept = [n for n in kept if not _is_circumstance(text, n)] or kept
    if len(kept) > 1 and (clause := _CLAUSE.search(text, kept[0].end())):
        kept = [n for n in kept if n.start() < clause.start()]
    return kept


def _is_circumstance(text: str, spot: _Spot) -> bool:
    before = text[max(0, spot.start() - 24) : spot.start()]
    return bool(_CIRCUMSTANCE.search(before)) and not _TOTAL_OF.search(before)


def _conversions(last: Number, others: list[_Spot], mark: DecimalMark) -> tuple[Number, ...]:
    """Return the result and the same quantity in other units, where the statement gives it."""
    quantity = _quantity(last)
    read = (read_number(spot, mark) for spot in others[-_MOST_READ:])
    return (last, *(number for number in read if number.unit != last.unit and _quantity(number) == quantity))


def _quantity(number: Number) -> tuple[str, Fraction | int] | None:
    unit = UNITS[number.unit]
    return (unit.dimension, number.value * unit.factor) if number.value is not None else None


def _compound(kept: list[_Spot], small: Number, mark: DecimalMark) -> tuple[Number, ...]:
    """Return one quantity, in its larger and in its smaller unit, for `2 hours and 30 minutes` at the end."""
    if len(kept) < 2 or not small.unit:
        return ()
    large, (start, end) = read_number(kept[-2], mark), (kept[-2].start(), kept[-1].end())
    whole, part = UNITS[large.unit], UNITS[small.unit]
    between = kept[-1].string[kept[-2].end() : kept[-1].start()]
    if (
        large.value is None
        or small.value is None
        or whole.dimension != part.dimension
        or not small.value * part.factor < whole.factor
        or not _JOINED.fullmatch(between)
    ):
        return ()
    total = large.value * whole.factor + small.value * part.factor
    text = kept[-1].string[start:end]
    return (Number(text, Fraction(total) / whole.factor), Number(text, Fraction(total) / part.factor))


def _rivals(kept: list[_Spot], same: tuple[Number, ...], mark: DecimalMark, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the results of a list (`4 or 5`) where they differ."""
    last = kept[-1]
    values = [number.value for number in same]
    others = []
    for spot in kept[-1 - _MOST_READ : -1]:
        if pattern(_LIST, codes).search(last.string, spot.end(), last.start()):
            number = read_number(spot, mark)
            if number.value not in values:
                others.append(number.text)
    return (*others, same[0].text) if others else ()
