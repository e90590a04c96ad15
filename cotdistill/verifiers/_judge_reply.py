"""Reads what a judge replied: a verdict with the nonce of its question, in one exact form, or none.

| form | reply |
|---|---|
| json | `{"nonce": "8f3a…", "verdict": "correct"}`, with or without a code fence around it |
| yes_no | free text whose last line is `8f3a…: yes` |

Whatever else it says is no verdict: prose, two objects, another word, a verdict without the nonce.
"""

import json
import re
from typing import Any, Literal, NamedTuple

Form = Literal["json", "yes_no"]
Judgement = Literal["correct", "wrong", "unsure"]

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)
_YES_NO: dict[str, Judgement] = {"yes": "correct", "no": "wrong", "unsure": "unsure"}
_JSON: dict[str, Judgement] = {"correct": "correct", "wrong": "wrong", "unsure": "unsure"}
_SHOWN = 60


class Reading(NamedTuple):
    """What a reply says."""

    judgement: Judgement | None
    """None: the reply is none."""
    reason: str
    """Why it is none."""


def read_reply(reply: str, *, nonce: str, form: Form) -> Reading:
    """Return the judgement of a reply; never raises on any text."""
    text = reply.strip()
    if not text:
        return Reading(None, "the judge said nothing")
    return _read_json(text, nonce) if form == "json" else _read_yes_no(text, nonce)


def _read_json(text: str, nonce: str) -> Reading:
    if fenced := _FENCE.fullmatch(text):
        text = fenced[1]
    try:
        row = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return _none("the judge's reply is not one JSON object", text)
    if not isinstance(row, dict) or row.keys() != {"nonce", "verdict"}:
        return _none("the judge's reply has other keys than nonce and verdict", text)
    if row["nonce"] != nonce:
        return _none("the nonce of its question is missing in the judge's reply", text)
    verdict = row["verdict"]
    if not isinstance(verdict, str) or verdict not in _JSON:
        return _none("the judge's verdict is not correct, wrong or unsure", text)
    return Reading(_JSON[verdict], "")


def _read_yes_no(text: str, nonce: str) -> Reading:
    lines = [line for line in text.splitlines() if nonce in line]
    if not lines:
        return _none("the nonce of its question is missing in the judge's reply", text)
    last = text.splitlines()[-1]
    said = re.fullmatch(rf"[*`\s]*{nonce}[*`]*:[*`\s]*(yes|no|unsure)[*`.\s]*", last, re.IGNORECASE)
    if len(lines) > 1 or said is None:
        return _none("the judge's reply does not end in one line with nonce and yes, no or unsure", text)
    return Reading(_YES_NO[said[1].lower()], "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    """Return an object; a duplicate key has two meanings, and so none."""
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("duplicate key")
    return row


def _none(reason: str, reply: str) -> Reading:
    shown = reply if len(reply) <= _SHOWN else reply[:_SHOWN] + "…"
    return Reading(None, f"{reason}: {shown!r}")
