"""Reads the final answer of a text, the one path of numeric, math and auto: statement -> expression -> lone number.

The first statement that says something decides. What is set as mathematics (boxed, `####`, a line without words) is a
number only where it is one as a whole, else an expression; in prose `_final` chooses the number. Gold is not seen.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cotdistill.numbers.digits import DecimalMark
from cotdistill.numbers.notation import plain
from cotdistill.numbers.reading import Number
from cotdistill.verifiers._expression import Found, expression_of, lone_number, right_side, without_words
from cotdistill.verifiers._extract import Statement, statements
from cotdistill.verifiers._final import final_of
from cotdistill.verifiers._languages import Locale, decimal_mark


class Reading(NamedTuple):
    """What a statement says."""

    statement: Statement
    text: str
    """The number, or what stands where one should."""
    values: tuple[Number, ...] = ()
    """The same quantity in each unit that it is given in; empty where it is not one number."""
    fault: str = ""
    """Why there are no values."""
    expression: Found | None = None


_DIGITS = re.compile(r"[ *]{0,4}(\d{1,15})[ *.\n]{0,4}")
_PROSE = re.compile(r"[a-z]{4}")
_ALGEBRA = re.compile(
    r"\\(?!\$|%|,|!|;|text|approx)[a-z]|(?<![a-z])[a-z](?![a-z'])|[\^_<>≤≥±√π∞!|\[{]|[(](?=.*,)", re.IGNORECASE
)
_NAME = re.compile(r"[\W_]{0,8}(?:[^\W_]+\W{1,3}){1,4}")
"""A declared answer of few words."""


def read_answer(answer: str, locale: Locale | None = None) -> Reading | None:
    """Return what the answer states as final; None where it neither declares nor has a number."""
    readings = _readings(answer, locale)
    best = next(readings, None)
    if best is None or not best.values:
        return best
    statement, values = best.statement, [number.value for number in best.values]
    while not statement.is_afresh:
        earlier = next(readings, None)
        if earlier is None or earlier.statement.kind != statement.kind or not earlier.values:
            break
        statement = earlier.statement
        if earlier.values[0].value not in values:
            return best._replace(values=(), fault=_disagree((earlier.text, best.text)), expression=None)
    return best


def is_equal(gold: Number, number: Number) -> bool:
    """Return whether two numbers are the same; a percentage also equals its hundredth unless both are percentages."""
    if gold.value is None or number.value is None or gold.value == number.value:
        return gold.value is not None and number.value is not None
    if gold.is_percent == number.is_percent:
        return False
    return gold.value == number.value * 100 if gold.is_percent else gold.value * 100 == number.value


def _readings(answer: str, locale: Locale | None) -> Iterator[Reading]:
    for statement in statements(answer):
        text = plain(statement.text)
        reading = _read(statement, text, decimal_mark(text, answer, locale))
        if reading is not None and (reading.values or statement.is_declared):
            yield reading


def _read(statement: Statement, text: str, mark: DecimalMark) -> Reading | None:
    if bare := _DIGITS.fullmatch(text):
        return Reading(statement, bare[1], (Number(bare[1], int(bare[1])),))
    is_prose = "\\" not in text and text.count("$") < 2 and _PROSE.search(text)
    expression = None if is_prose else expression_of(statement)
    if expression is not None and expression.is_whole:
        side = right_side(expression.text)
        if lone_number(side, mark) is not None:
            text = plain(side)
        elif _ALGEBRA.search(without_words(expression.text)):
            return Reading(statement, expression.text, (), _no_number(expression.text), expression)
    final = final_of(text, mark, statement.codes)
    if final is not None and final.values and not final.rivals:
        return Reading(statement, final.text, final.values, "", expression)
    expression = expression or expression_of(statement)
    if final is None:
        is_said = expression or _NAME.fullmatch(text)
        return Reading(statement, text, (), _no_number(text.strip()), expression) if is_said else None
    fault = _disagree(final.rivals) if final.rivals else _no_number(final.text)
    return Reading(statement, final.text, (), fault, expression)


def _no_number(text: str) -> str:
    return f"final is no number: {text[:20]}"


def _disagree(texts: Sequence[str]) -> str:
    return "finals disagree: " + ", ".join(text[:20] for text in texts[-4:])
