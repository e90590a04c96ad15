"""Golds compared as numbers: `72`, `72.0`, `$72$` and `7,200/100` are one answer."""

import re
import unicodedata

from cotdistill.numbers.reading import sole_value

_WRAPPED = re.compile(r"\$(.*)\$|\\\((.*)\\\)|\\\[(.*)\\\]|\\boxed\{(.*)\}", re.DOTALL)
_MOST_CHARS = 60


def canonical(gold: str | None) -> str | None:
    """Return a number as a reduced fraction, any other gold in small letters; None where there is none."""
    if gold is None:
        return None
    text = unicodedata.normalize("NFKC", gold).strip().replace("\N{MINUS SIGN}", "-")
    while wrapped := _WRAPPED.fullmatch(text):
        text = next(part for part in wrapped.groups() if part is not None).strip()
    number = sole_value(text) if len(text) <= _MOST_CHARS else None
    return str(number) if number is not None else text.casefold()


def differ(one: str | None, other: str | None) -> bool:
    """Return whether two golds are other answers; where one is missing nobody can tell."""
    return one is not None and other is not None and canonical(one) != canonical(other)
