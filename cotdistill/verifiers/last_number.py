"""The verifier that takes the last number of a text for its answer, as FLAN-T5's students are graded."""

import re
from fractions import Fraction

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.think_tags import after_thinking

_NUMBER = re.compile(r"(?:(?<![\w).])-)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+")
"""A minus behind a digit or a word is a difference or a hyphen; commas stand between groups of three alone."""

_MAX_DIGITS = 60
"""Longer runs of digits are no answer; converting them would take quadratic time."""


@kind
def last_number(gold: str, answer: str) -> Verdict:
    """Compare the last number of the answer with gold, by value: `1,000` is `1000`, and `18.0` is `18`.

    Whatever the text declares final is not looked at: a sentence behind the answer that has another number makes it
    wrong. `numeric` reads what the answer states; this is for numbers that shall stand beside others' (FLAN-T5,
    Chung et al. 2022; Fu et al. 2023).
    """
    expected = _last(gold.rpartition("####")[2])
    if expected is None or _value(expected) is None:
        return Verdict(outcome="error", reason=f"gold has no number: {gold[:40]!r}")
    said = after_thinking(answer)
    if said is None:
        return Verdict(outcome="unparsed", reason="the thinking is not closed")
    found = _last(said)
    if found is None:
        return Verdict(outcome="unparsed", reason="no number found")
    value = _value(found)
    if value is None:
        return Verdict(outcome="unparsed", reason=f"a number of {len(found)} digits")
    outcome = "correct" if value == _value(expected) else "wrong"
    return Verdict(outcome=outcome, extracted=found, reason="last number")


def _last(text: str) -> str | None:
    last = None
    for last in _NUMBER.finditer(text):  # noqa: B007  # the last one is wanted
        continue
    return last[0] if last else None


def _value(number: str) -> Fraction | None:
    """Return the value of a number; None where it is too long to be one."""
    return Fraction(number.replace(",", "")) if len(number) <= _MAX_DIGITS else None
