"""The options of a multiple-choice question: their texts, and which of them is right."""

import re
from collections.abc import Sequence

from cotdistill.data.task import LETTERS
from cotdistill.formats import JsonRow

Columns = str | tuple[str, ...]
"""A key whose value is a list of texts (or `{"label": […], "text": […]}`), or one key for each option."""


def texts_of(row: JsonRow, where: Columns) -> tuple[str, ...]:
    """Return the texts of the options A, B, C and so on, without such letters of their own (`A)125`).

    Raises: ValueError that names the key, what was expected and what was found.
    """
    name: str
    found: object
    if isinstance(where, tuple):
        name, found = where[0], [_value(row, key) for key in where]
    else:
        name, found = where, _value(row, where)
        if isinstance(found, dict):
            name, found = f"{where}.text", found.get("text")
    if not isinstance(found, Sequence) or isinstance(found, str) or not 2 <= len(found) <= len(LETTERS):
        raise ValueError(f"{name}: expected a list of 2 to {len(LETTERS)} options, found {_said(found)}")
    for text in found:
        if isinstance(text, bool | dict | list) or text is None or not str(text).strip():
            raise ValueError(f"{name}: expected the text of each option, found {_said(text)}")
    return _without_letters([str(text).strip() for text in found])


_OWN_LETTER = re.compile(r"\(?(?P<letter>[A-J])[).:]\s*(?P<text>\S.*)", re.DOTALL)


def _without_letters(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the options without letters of their own, where each has its one before it: `A)125`, `B)150`."""
    matches = [match for text in texts if (match := _OWN_LETTER.fullmatch(text))]
    if [match["letter"] for match in matches] != list(LETTERS[: len(texts)]):
        return tuple(texts)
    return tuple(match["text"] for match in matches)


def letter_of(row: JsonRow, key: str, where: Columns, texts: Sequence[str]) -> str | None:
    """Return the letter of the right option: from a letter, a number from 0, a label of the row's own, or the text.

    None where the row says nothing of it. Raises: ValueError that names the key.
    """
    value = row.get(key)
    if value is None:
        return None
    said = str(value).strip()
    known = LETTERS[: len(texts)]
    if (label := _labels(row, where)) and said in label:
        return known[label.index(said)]
    if said.isdecimal() and not isinstance(value, bool) and int(said) < len(texts):
        return known[int(said)]
    if len(said) == 1 and said.upper() in known:
        return said.upper()
    if said in texts:
        return known[list(texts).index(said)]
    if (match := _OWN_LETTER.fullmatch(said)) and (match["letter"], match["text"]) in zip(known, texts, strict=True):
        return match["letter"]
    raise ValueError(
        f"{key}: expected a letter from A to {known[-1]} or a number below {len(texts)}, found `{said[:40]}`"
    )


def _labels(row: JsonRow, where: Columns) -> list[str]:
    """Return the row's own names of the options, `["1", "2", …]`; none where it has none."""
    found = row.get(where) if isinstance(where, str) else None
    labels = found.get("label") if isinstance(found, dict) else None
    return [str(label).strip() for label in labels] if isinstance(labels, list | tuple) else []


def _value(row: JsonRow, key: str) -> object:
    if key not in row:
        raise ValueError(f"{key}: is missing; keys here: {', '.join(map(str, row)) or 'none'}")
    return row[key]


def _said(found: object) -> str:
    if found is None:
        return "nothing"
    return f"{len(found)}" if isinstance(found, list | tuple) else type(found).__name__
