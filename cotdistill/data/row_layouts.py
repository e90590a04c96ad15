"""Usual names of columns, and how a name finds its value in a row.

A column inside of another is named by its path: `reward_model.ground_truth` in `{"reward_model": {"ground_truth": …}}`,
and `messages.0.info.answer` by the number in a list.
"""

from collections.abc import Callable
from typing import Any

from cotdistill.data.readers import JsonRow

QUESTIONS = ("question", "problem", "Question", "query", "prompt", "instruction", "input")
REASONINGS = ("reasoning", "Complex_CoT", "reasoning_content", "thinking", "rationale", "chain_of_thought")
ANSWERS = ("answer", "Response", "response", "completion", "output", "generated_solution", "content")
"""What somebody said, in a row that has more of a rationale or a gold answer."""
SAID = ("response", "Response", "completion", "output", "generated_solution", "content")
"""What somebody said, whatever else a row has: `answer` may be what is right."""
GOLDS = (
    *("gold", "expected_answer", "final_answer", "ground_truth", "reference_answer"),
    *("reward_model.ground_truth", "extra_info.ground_truth", "extra_info.answer"),
)
TURNS = ("messages", "conversations", "conversation")
PROMPTS = ("prompt", "input")
"""Names under which a list of turns may stand that ends with the user's."""
SYSTEMS = ("system", "system_prompt")

_MISSING = object()


def value_at(row: JsonRow, key: str) -> object:
    """Return the value of a column; None where there is no such column."""
    if key in row:
        return row[key]
    found = _inside(row, key, lambda inside, name: inside[name])
    return None if found is _MISSING else found


def peek(row: JsonRow, key: str) -> object:
    """Return what `value_at` does of a row that notes what is read of it, and leave no note."""
    # dict's own method, which such a row leaves alone.
    if key in row:
        return dict.get(row, key)
    found = _inside(row, key, dict.get)
    return None if found is _MISSING else found


def has_column(row: JsonRow, key: str) -> bool:
    """Return whether a row has a column, with a value or without."""
    return key in row or _inside(row, key, dict.get) is not _MISSING


def first_of(row: JsonRow, keys: tuple[str, ...]) -> str | None:
    """Return the first of these columns that has a value, else the first that the row has; None where it has none."""
    first = None
    for key in keys:
        if has_column(row, key):
            if peek(row, key) is not None:
                return key
            first = first or key
    return first


def _inside(row: JsonRow, key: str, get: Callable[[JsonRow, str], Any]) -> Any:  # Any: a JSON value
    """Return what a path finds; a name that the row has itself is none."""
    if "." not in key:
        return _MISSING
    found: Any = row
    for part in key.split("."):
        if isinstance(found, dict) and part in found:
            found = get(found, part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return _MISSING
    return found
