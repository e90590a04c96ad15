"""The verifier for answers that are expressions: Math-Verify, in a process of its own that can be killed."""

import re
from typing import Annotated, NamedTuple

from pydantic import Field

from cotdistill.numbers.reading import Number
from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._expression import (
    CLOCK,
    Found,
    bare,
    clocks_in,
    found_expression,
    gold_expression,
    latex_of,
    lone_number,
    right_side,
    stripped,
    tidy,
)
from cotdistill.verifiers._languages import Locale
from cotdistill.verifiers._math_process import compare, has_math_verify, require_math_verify
from cotdistill.verifiers._reading import read_answer
from cotdistill.verifiers._text import final_line, words_of
from cotdistill.verifiers.exact import exact
from cotdistill.verifiers.numeric import judge_number

_MOST_CHARACTERS = 2000
"""Of an expression; a matrix of MATH has some 200."""
_BASE = re.compile(r"\d_[{\d]")
"""A number in a base that is named: `1210_3`."""


@kind
def math(
    gold: str,
    answer: str,
    *,
    locale: Locale | None = None,
    timeout_s: Annotated[float, Field(ge=0.1, le=600)] = 3.0,
    memory_mb: Annotated[int, Field(ge=512)] = 1024,
) -> Verdict:
    """Compare the expression that the answer states as final with gold: numbers, sets, intervals, tuples, equations.

    In order: a number as `numeric` compares it; words and clock times as text; the same text is correct; everything
    else by Math-Verify. What cannot be read as an expression is `unparsed`, what exceeds a limit is `error`.

    Options:
        locale: language of the answers, which decides what `1.234` means; left out, it is guessed for each answer.
        timeout_s: seconds of CPU time for one comparison; most take a hundredth, a tower of powers has no end.
        memory_mb: address space of the process that compares, of which sympy itself takes some 200 MB.
    """
    require_math_verify()
    return compare_by_form(gold, answer, locale, Limits(timeout_s, memory_mb))


class Limits(NamedTuple):
    """What one comparison may take."""

    timeout_s: float
    memory_mb: int


def compare_by_form(gold: str, answer: str, locale: Locale | None, limits: Limits) -> Verdict:
    """Return the verdict of the comparison that gold's form asks for: number, words, clock time, expression."""
    expected = gold_expression(gold)
    if not expected or len(expected) > _MOST_CHARACTERS:
        fault = "longer than 2,000 characters" if expected else "empty"
        return Verdict(outcome="error", reason=f"gold is {fault}")
    if (number := lone_number(expected)) is not None:
        return _compare_number(number, expected, answer, locale, limits)
    if (words := words_of(expected)) is not None:
        return exact(words, answer)
    if CLOCK.fullmatch(bare(expected)):
        return _compare_clocks(expected, answer)
    require_math_verify()
    found = found_expression(answer)
    if found is None and (line := final_line(answer)) and len(line[0].split()) <= 12:  # `x + y`, without a digit
        found = Found(stripped(line[0]), "last line")
    if found is None or not found.text:
        return Verdict(outcome="unparsed", reason="no final expression found")
    if tidy(expected) == tidy(found.text):
        return Verdict(outcome="correct", extracted=found.text, reason=f"{found.kind}: same text")
    return _compare_expressions(expected, found, limits)


def _compare_number(number: Number, gold: str, answer: str, locale: Locale | None, limits: Limits) -> Verdict:
    """Return the verdict where gold is one number; what the answer states may be an expression of that value."""
    reading = read_answer(answer, locale)
    expression = found_expression(answer) if reading is None else None if reading.values else reading.expression
    if expression is None or not expression.is_whole or not has_math_verify():
        return judge_number(number, reading)
    return _compare_expressions(gold, expression, limits)


def _compare_expressions(expected: str, found: Found, limits: Limits) -> Verdict:
    """Return Math-Verify's verdict; an equation is compared with an equation, else its right side counts."""
    if len(found.text) > _MOST_CHARACTERS:
        return Verdict(outcome="unparsed", extracted=found.text[:80], reason=f"{found.kind}: too long to compare")
    if bool(_BASE.search(expected)) != bool(_BASE.search(found.text)):
        return Verdict(outcome="wrong", extracted=found.text, reason=f"{found.kind}: one names its base")
    text = found.text if "=" in expected else right_side(found.text)
    outcome, reason = compare(latex_of(expected), latex_of(text), **limits._asdict())
    reason = f"{found.kind}: {reason or 'Math-Verify'}"
    return Verdict.model_validate({"outcome": outcome, "extracted": found.text, "reason": reason})


def _compare_clocks(clock: str, answer: str) -> Verdict:
    found = final_line(answer)
    said = clocks_in(found[0]) if found else []
    if found is None or not said:
        return Verdict(outcome="unparsed", reason="no clock time or ratio found")
    is_same = not said[-1][1].isdisjoint(clocks_in(clock)[0][1])
    return Verdict(outcome="correct" if is_same else "wrong", extracted=said[-1][0], reason=found[1])
