"""Numbers written as English words, from zero to 999,999, with halves and dozens: `twenty-five`, `a dozen`."""

import re
from fractions import Fraction

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

_SMALL = {word: value for value, word in enumerate(_ONES.split())}
_SMALL |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "dozen": 12}
_PARTS = {"half": Fraction(1, 2), "quarter": Fraction(1, 4), "quarters": Fraction(1, 4), "thirds": Fraction(1, 3)}

_WORD = "(?:" + "|".join(sorted([*_SMALL, *_SCALES, *_PARTS], key=len, reverse=True)) + ")"
WORD_NUMBER = re.compile(rf"\b(?:an? )?{_WORD}(?:(?:-| and an? | and | a (?=dozen)| )?{_WORD}){{0,9}}\b")
"""A run of number words; matched against lower-case text."""

_TOKEN = re.compile(_WORD)


def word_value(words: str) -> Fraction | None:
    """Return the value of a run of number words; None where they make no number (`two five`)."""
    total, group, last = Fraction(0), Fraction(0), 10**9
    tokens = _TOKEN.findall(words)
    if tokens == ["half", "dozen"]:
        return Fraction(6)
    for token in tokens:
        if token in _SCALES:
            scale = _SCALES[token]
            group = max(group, Fraction(1)) * scale
            total, group = (total + group, Fraction(0)) if scale == 1000 else (total, group)
            last = scale if scale != 12 else 0
        elif token in _PARTS:
            if tokens[-1] != token:
                return None
            total, group = _with_part(total + group, _PARTS[token], " and " in words or len(tokens) == 1), Fraction(0)
        else:
            value = _SMALL[token]
            if value >= last or (last < 20) or (last < 100 and value >= 10):
                return None
            group += value
            last = value
    return total + group


def _with_part(whole: Fraction, part: Fraction, is_sum: bool) -> Fraction:
    """Return `two and a half` (a sum) or `three quarters` (a product)."""
    return whole + part if is_sum else whole * part
