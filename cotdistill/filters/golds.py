"""Golds compared as numbers: `72`, `72.0`, `$72$` and `7,200/100` are one answer."""

import re
import unicodedata
from fractions import Fraction

_WRAPPED = re.compile(r"\$(.*)\$|\\\((.*)\\\)|\\\[(.*)\\\]|\\boxed\{(.*)\}", re.DOTALL)
_FRACTION = re.compile(r"(-?)\\[dt]?frac ?\{([^{}]*)\} ?\{([^{}]*)\}")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
_MOST_CHARS = 60


def canonical(gold: str | None) -> str | None:
    """Return a number as a reduced fraction, any other gold in small letters; None where there is none."""
    if gold is None:
        return None
    text = unicodedata.normalize("NFKC", gold).strip().replace("\N{MINUS SIGN}", "-")
    while wrapped := _WRAPPED.fullmatch(text):
        text = next(part for part in wrapped.groups() if part is not None).strip()
    number = _value(_FRACTION.sub(r"\1\2/\3", text))
    return str(number) if number is not None else text.casefold()


def differ(one: str | None, other: str | None) -> bool:
    """Return whether two golds are other answers; where one is missing nobody can tell."""
    return one is not None and other is not None and canonical(one) != canonical(other)


def _value(text: str) -> Fraction | None:
    over, slash, under = text.lstrip("$€£¥ ").partition("/")
    parts = [over.strip(), under.strip()] if slash else [over.strip()]
    if len(text) > _MOST_CHARS or not all(map(_NUMBER.fullmatch, parts)):
        return None
    values = [Fraction(part.replace(",", "")) for part in parts]
    return values[0] if not slash else values[0] / values[1] if values[1] else None
