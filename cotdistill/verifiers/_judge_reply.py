"""Reads what a judge replied: a verdict with the nonce of its question, in one exact form, or none.

| form | reply |
|---|---|
| json | `{"nonce": "8f3a…", "verdict": "correct"}`, with or without a code fence around it |
| yes_no | free text whose last line is `8f3a…: yes` |
| pattern | free text in which a regular expression of the recipe finds a word for yes or no, without a nonce |

Whatever else it says is no verdict: prose, two objects, two verdicts that disagree, another word.
"""

import json
import re
from typing import Any, Literal, NamedTuple

Form = Literal["json", "yes_no", "pattern"]
Judgement = Literal["correct", "wrong", "unsure"]

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)
_YES_NO: dict[str, Judgement] = {"yes": "correct", "no": "wrong", "unsure": "unsure"}
_JSON: dict[str, Judgement] = {"correct": "correct", "wrong": "wrong", "unsure": "unsure"}
_SHOWN = 60

SAID: dict[str, Judgement] = {
    **dict.fromkeys(("yes", "correct", "true", "same", "是", "对", "正确", "一致", "相同"), "correct"),
    **dict.fromkeys(
        ("no", "wrong", "incorrect", "false", "different", "否", "不是", "错", "错误", "不一致", "不同"), "wrong"
    ),
    **dict.fromkeys(("unsure", "unclear", "不确定", "无法判断"), "unsure"),
}
"""Words that a pattern may find."""


class Reading(NamedTuple):
    """What a reply says."""

    judgement: Judgement | None
    """None: the reply is none."""
    reason: str
    """Why it is none."""


def read_reply(reply: str, *, nonce: str, form: Form, pattern: str | None = None) -> Reading:
    """Return the judgement of a reply; never raises on any text."""
    text = reply.strip()
    if not text:
        return Reading(None, "the judge said nothing")
    if form == "pattern":
        return _read_pattern(text, pattern or "")
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


def _read_pattern(text: str, pattern: str) -> Reading:
    found = {str(word).strip().lower() for word in re.findall(pattern, text)}
    if not found:
        return _none("the pattern finds nothing in the judge's reply", text)
    judgements = {SAID.get(word) for word in found}
    if None in judgements:
        return _none("the pattern finds a word that is neither yes nor no in the judge's reply", text)
    if len(judgements) > 1:
        return _none("the judge's reply holds two verdicts that disagree", text)
    return Reading(judgements.pop(), "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    """Return an object; a duplicate key has two meanings, and so none."""
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("duplicate key")
    return row


def _none(reason: str, reply: str) -> Reading:
    shown = reply if len(reply) <= _SHOWN else reply[:_SHOWN] + "…"
    return Reading(None, f"{reason}: {shown!r}")
