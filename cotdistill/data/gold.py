"""The gold answer of a row: a column, or what a rule finds in it."""

import math
import re

from cotdistill.data.entry import Entry
from cotdistill.data.readers import JsonRow

HASHES = "####"


def gold_answer(row: JsonRow, entry: Entry, *, answer_key: str | None) -> str | None:
    """Return the final answer that is right; None where the row has none.

    `answer_key` is the column that holds it where none is named for gold.
    Raises: ValueError that names the key, what was expected and what was found.
    """
    key = entry.columns.gold or ("gold" if row.get("gold") is not None else answer_key)
    if key is None:
        return None
    if key not in row and entry.columns.gold:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(row)}")
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool | dict | list) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{key}: expected text or a number, found {_named(value)}")
    text = str(value)
    if entry.gold_pattern is not None:
        found = re.findall(entry.gold_pattern, text)
        if not found:
            raise ValueError(f"{key}: expected a match of the gold pattern, found `{text[-60:]}`")
        return str(found[-1]).strip()
    if entry.gold == "gsm8k" and HASHES not in text:
        raise ValueError(f"{key}: expected the final answer after {HASHES}, found `{text[-60:]}`")
    # GSM8K's answers are worked out, with the final one behind four hashes.
    return text.rpartition(HASHES)[2].strip() if entry.gold or key == answer_key else text.strip()


def _named(value: object) -> str:
    return str(value) if isinstance(value, bool | float) else type(value).__name__
