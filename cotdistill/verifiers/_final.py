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
from itertools import pairwise
from typing import NamedTuple

from cotdistill.numbers.digits import DecimalMark
from cotdistill.numbers.reading import UNITS, Number, number_spots, read_number, word_spots
from cotdistill.numbers.words import with_digits
from cotdistill.verifiers._languages import ALL, pattern

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
_CLAUSE = re.compile(
    r"[*,]? (?:to (?!be\b)[a-z]+|because|since|so that|when|while|after|before|if|which|who|than|instead|given|"
    r"based on|out of|compared|assuming|por|para|porque|weil|damit|pour|parce|чтобы|потому)\b"
)
_OR = "@alternative@"
_LIST = r"\b(?:and|und|y|et|и)\b|[,;\n&/、]|和|@alternative@"
_JOINED = re.compile(r"[^\d\n.;=+×/]{0,24}")
_DENIES = (
    r"(?:@denies@[^\w\n.,;]{0,4}(?:(?:the|equal to|simply|exactly|really)\W{1,3})?|"
    r"^\W{0,6}(?:\w{1,12} ?)?@limits@[^\w\n.,;]{0,4})$"
)
_DENIED = r"[\w%]{0,6}[*_)\]$]{0,4}(?: ?[^\W\d]{1,12})? ?@denied@|[*$]{0,2}\+(?! ?\d)"
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
_MOST_SPOTS = 200
_MOST_READ = 20
"""Numbers of one statement that are looked at, and compared with its last one: garbage has thousands."""


def final_of(text: str, mark: DecimalMark, codes: tuple[str, ...] = ALL) -> Final | None:
    """Return the result that a statement in plain notation names; None where it has no number."""
    spots = (number_spots(text, mark) or word_spots(text))[-_MOST_SPOTS:]
    if not spots and codes != ("en",):
        text = with_digits(text, codes)
        spots = number_spots(text, mark)[-_MOST_SPOTS:]
    if not spots:
        return None
    said = [spot for spot in spots if not _is_denied(text, spot, codes)]
    if not said:
        return Final(spots[-1][0])
    kept = _narrowed(text, said, codes) if len(said) > 1 else said
    while len(kept) > 1 and not _is_value(text, kept[-1]) and _is_value(text, kept[0]):
        kept = kept[:-1]  # `5 for all n > 1`
    *others, chosen = kept
    last = read_number(chosen, mark)
    if last.value is None or not _is_value(text, chosen) or _is_range(text, spots, chosen, codes):
        return Final(last.text)
    if len(spots) == 1:
        return Final(last.text, (last,))
    read = {spot: read_number(spot, mark) for spot in said[-_MOST_READ:] if spot is not chosen}
    if others and (compound := _compound(others[-1], chosen, read.get(others[-1], last), last)):
        return Final(compound[0].text, compound)
    same = (last, *(one for one in read.values() if one.unit != last.unit and _quantity(one) == _quantity(last)))
    values = [number.value for number in same]
    listed = (spot for spot in others if pattern(_LIST, codes).search(text, spot.end(), chosen.start()))
    rivals = [read[spot].text for spot in listed if spot in read and read[spot].value not in values]
    return Final(last.text, same, (*rivals, last.text) if rivals else ())


def _is_denied(text: str, spot: _Spot, codes: tuple[str, ...]) -> bool:
    """Return whether a number is named to be denied, or is a limit: `not 5`, `5 is wrong`, `more than 5`."""
    before = text[max(0, spot.start() - 32) : spot.start()]
    return bool(pattern(_DENIES, codes).search(before) or pattern(_DENIED, codes).match(text, spot.end()))


def _is_value(text: str, spot: _Spot) -> bool:
    """Return whether a number stands for itself: it is no part of an expression (`x+5`, `(3, 5)`)."""
    start, end = spot.span()
    if _ALGEBRA_BEFORE.search(text, max(0, start - 14), start) or _ALGEBRA_AFTER.match(text, end):
        return False
    return not any(match.start() < start and end < match.end() for match in _TUPLE.finditer(text))


def _is_range(text: str, spots: list[_Spot], chosen: _Spot, codes: tuple[str, ...]) -> bool:
    """Return whether the chosen number is an end of a range: `5 to 7`, `between 5 and 7`."""
    for first, second in pairwise(spots):
        if chosen in (first, second):
            between = text[first.end() : second.start()]
            if _AND.fullmatch(between):
                if _BETWEEN.search(text, max(0, first.start() - 16), first.start()):
                    return True
            elif pattern(_RANGE, codes).fullmatch(between):
                return True
    return False


def _narrowed(text: str, spots: list[_Spot], codes: tuple[str, ...]) -> list[_Spot]:
    """Return the numbers that the rules 1 to 6 leave, at least one."""
    kept = spots
    if "(" in text:
        inside = [m.span() for m in _PARENTHESIS.finditer(text)]
        kept = [n for n in kept if not any(a < n.start() < b for a, b in inside)] or kept
    for sign in reversed(list(_EQUALS.finditer(text))):
        if kept[-1].start() >= sign.end() and not pattern(_OR, codes).search(text, kept[0].end(), sign.end()):
            kept = [n for n in kept if n.start() >= sign.end()]
            break
    if "**" in text:
        kept = [n for n in kept if text.count("**", 0, n.start()) % 2] or kept
    if len(kept) > 1:
        kept = [n for n in kept if not _CIRCUMSTANCE.search(text, max(0, n.start() - 24), n.start())] or kept
    clause = _CLAUSE.search(text, kept[0].end())
    return [n for n in kept if n.start() < clause.start()] if clause else kept


def _quantity(number: Number) -> tuple[str, object]:
    """Return the dimension of a number and its value in the smallest unit; no other one's where it has no value."""
    unit = UNITS[number.unit]
    return (unit.dimension, number.value * unit.factor) if number.value is not None else ("", number)


def _compound(before: _Spot, after: _Spot, large: Number, small: Number) -> tuple[Number, ...]:
    """Return one quantity, in its larger and in its smaller unit, for `2 hours and 30 minutes` at the end."""
    whole, part = UNITS[large.unit], UNITS[small.unit]
    if not small.unit or large.value is None or small.value is None or whole.dimension != part.dimension:
        return ()
    if small.value * part.factor >= whole.factor or not _JOINED.fullmatch(after.string, before.end(), after.start()):
        return ()
    total = large.value * whole.factor + small.value * part.factor
    text = after.string[before.start() : after.end()]
    return (Number(text, total / whole.factor), Number(text, total / part.factor))
