"""The verifier that takes the last number of a text for its answer, as FLAN-T5's students are graded."""

import re
from fractions import Fraction

from cotdistill.numbers.digits import MAX_DIGITS
from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.think_tags import after_thinking

_NUMBER = re.compile(r"(?:(?<![\w).])-)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+")
"""A minus behind a digit or a word is a difference or a hyphen; commas stand between groups of three alone."""


@kind
def last_number(gold: str, answer: str) -> Verdict:
    """Compare the last number of the answer with gold, by value: `1,000` is `1000`, and `18.0` is `18`.

    Whatever the text declares final is not looked at: a sentence behind the answer that has another number makes it
    wrong. `numeric` reads what the answer states; this is for numbers that shall stand beside others' (FLAN-T5,
    Chung et al. 2022; Fu et al. 2023).
    """
    _, value = _last(gold.rpartition("####")[2])
    if value is None:
        return Verdict(outcome="error", reason=f"gold has no number: {gold[:40]!r}")
    said = after_thinking(answer)
    if said is None:
        return Verdict(outcome="unparsed", reason="the thinking is not closed")
    found, value_said = _last(said)
    if value_said is None:
        reason = f"a number of {len(found)} digits" if found else "no number found"
        return Verdict(outcome="unparsed", reason=reason)
    return Verdict(outcome="correct" if value == value_said else "wrong", extracted=found, reason="last number")


def _last(text: str) -> tuple[str, Fraction | None]:
    """Return the last number of a text and its value; None where it is too long to be one."""
    number = str((_NUMBER.findall(text) or [""])[-1])
    return number, Fraction(number.replace(",", "")) if 0 < len(number) <= MAX_DIGITS else None
