"""The gold answer of a row: a column, or what a rule finds in it."""

import math
import re
from typing import Literal, NamedTuple

from cotdistill.data.row_layouts import has_column, value_at
from cotdistill.formats import JsonRow

HASHES = "####"

Rule = Literal["gsm8k", "yes_no"]
"""`gsm8k`: what follows the last ####; `yes_no`: true is `yes` and false is `no`."""


class GoldRule(NamedTuple):
    """How the gold answer of a row is found in its column."""

    rule: Rule | None = None
    pattern: str | None = None
    """The same by a regular expression with one group; its last match counts."""
    is_named: bool = False
    """Whether an entry names the column, so that every row must have it."""


def gold_answer(row: JsonRow, key: str | None, rule: GoldRule, *, worked_out: str | None) -> str | None:
    """Return the final answer that is right; None where the row has none.

    `key` is its column, and `worked_out` the one that holds it at the end of a worked answer.
    Raises: ValueError that names the key, what was expected and what was found.
    """
    if key is None:
        return None
    if rule.is_named and not has_column(row, key):
        raise ValueError(f"{key}: is missing; keys here: {', '.join(map(str, row))}")
    value = value_at(row, key)
    if value is None:
        return None
    if rule.rule == "yes_no":
        return _yes_or_no(key, value)
    if isinstance(value, bool | dict | list) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{key}: expected text or a number, found {_named(value)}")
    # GSM8K's answers are worked out, with the final one behind four hashes.
    found = _final(key, str(value), rule, is_worked_out=key == worked_out).strip()
    if not found:
        raise ValueError(f"{key}: expected what is right, found nothing; `null` where it is not known")
    return found


def _final(key: str, text: str, rule: GoldRule, *, is_worked_out: bool) -> str:
    if rule.pattern is not None:
        found = re.findall(rule.pattern, text)
        if not found:
            raise ValueError(f"{key}: expected a match of the gold pattern, found `{text[-60:]}`")
        return str(found[-1])
    if rule.rule == "gsm8k" and HASHES not in text:
        raise ValueError(f"{key}: expected the final answer after {HASHES}, found `{text[-60:]}`")
    return text.rpartition(HASHES)[2] if rule.rule or is_worked_out else text


def _yes_or_no(key: str, value: object) -> str:
    said = str(value).strip().lower()
    if said not in ("true", "false", "yes", "no"):
        raise ValueError(f"{key}: expected true or false, found `{said[:40]}`")
    return "yes" if said in ("true", "yes") else "no"


def _named(value: object) -> str:
    return str(value) if isinstance(value, bool | float) else type(value).__name__
