"""The gold answer of a row: a column, or what a rule finds in it."""

import math
import re
from typing import Literal, NamedTuple

from cotdistill.formats import JsonRow

HASHES = "####"

Rule = Literal["gsm8k", "yes_no"]
"""`gsm8k`: what follows the last ####; `yes_no`: true is `yes` and false is `no`."""


class GoldRule(NamedTuple):
    """Where the gold answer of a row is."""

    key: str | None
    """Its column; None: `gold`, else the one that holds the answer."""
    rule: Rule | None = None
    """How it is found there."""
    pattern: str | None = None
    """The same by a regular expression with one group; its last match counts."""


def gold_answer(row: JsonRow, where: GoldRule, *, answer_key: str | None) -> str | None:
    """Return the final answer that is right; None where the row has none.

    `answer_key` is the column that holds it where none is named for gold.
    Raises: ValueError that names the key, what was expected and what was found.
    """
    key = where.key or ("gold" if row.get("gold") is not None else answer_key)
    if key is None:
        return None
    if key not in row and where.key:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(row)}")
    value = row.get(key)
    if value is None:
        return None
    if where.rule == "yes_no":
        return _yes_or_no(key, value)
    if isinstance(value, bool | dict | list) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{key}: expected text or a number, found {_named(value)}")
    text = str(value)
    if where.pattern is not None:
        found = re.findall(where.pattern, text)
        if not found:
            raise ValueError(f"{key}: expected a match of the gold pattern, found `{text[-60:]}`")
        return str(found[-1]).strip()
    if where.rule == "gsm8k" and HASHES not in text:
        raise ValueError(f"{key}: expected the final answer after {HASHES}, found `{text[-60:]}`")
    # GSM8K's answers are worked out, with the final one behind four hashes.
    return text.rpartition(HASHES)[2].strip() if where.rule or key == answer_key else text.strip()


def _yes_or_no(key: str, value: object) -> str:
    said = str(value).strip().lower()
    if said not in ("true", "false", "yes", "no"):
        raise ValueError(f"{key}: expected true or false, found `{said[:40]}`")
    return "yes" if said in ("true", "yes") else "no"


def _named(value: object) -> str:
    return str(value) if isinstance(value, bool | float) else type(value).__name__
