"""Reads what a judge replied: a verdict with the nonce of its question, in one exact form, or none.

| form | reply |
|---|---|
| json | `{"nonce": "8f3a…", "verdict": "correct"}`, with or without a code fence around it |
| yes_no | free text whose last line is `8f3a…: yes` |
| pattern | free text in which a regular expression of the recipe finds a word for yes or no, without a nonce |

Whatever else it says is no verdict: prose, two objects, two verdicts that disagree, another word.
"""

import contextlib
import json
import re
from typing import Literal, NamedTuple

Form = Literal["json", "yes_no", "pattern"]
Judgement = Literal["correct", "wrong", "unsure"]

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)
_YES_NO = r"[*`\s]*{}[*`]*:[*`\s]*((?i:yes|no|unsure))[*`.\s]*"
_WORDS: dict[Judgement, str] = {
    "correct": "yes correct true same 是 对 正确 一致 相同",
    "wrong": "no wrong incorrect false different 否 不是 错 错误 不一致 不同",
    "unsure": "unsure unclear 不确定 无法判断",
}
SAID = {word: judgement for judgement, words in _WORDS.items() for word in words.split()}
"""Words that a pattern may find."""
_SHOWN = 60


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
        said = _read_pattern(text, pattern or "")
    elif nonce not in text:
        said = "the nonce of its question is missing in the judge's reply"
    elif form == "json":
        said = _read_json(text, nonce)
    else:
        said = _read_yes_no(text, nonce)
    if said in _WORDS:
        return Reading(said, "")
    shown = reply if len(reply) <= _SHOWN else reply[:_SHOWN] + "…"
    return Reading(None, f"{said}: {shown!r}")


def _read_json(text: str, nonce: str) -> str:
    """Return the judgement, or why there is none; a duplicate key has two meanings, and so none."""
    fenced = _FENCE.fullmatch(text)
    with contextlib.suppress(ValueError, RecursionError):
        row = json.loads(fenced[1] if fenced else text, object_pairs_hook=list)
        for verdict in _WORDS:
            pairs = [("nonce", nonce), ("verdict", verdict)]
            if row in (pairs, pairs[::-1]):
                return verdict
    return "the judge's reply is not one JSON object with nonce and a verdict alone"


def _read_yes_no(text: str, nonce: str) -> str:
    *before, last = text.splitlines()
    said = re.fullmatch(_YES_NO.format(nonce), last)
    if said is None or any(nonce in line for line in before):
        return "the judge's reply does not end in one line with nonce and yes, no or unsure"
    return SAID[said[1].lower()]


def _read_pattern(text: str, pattern: str) -> str:
    found = {str(word).strip().lower() for word in re.findall(pattern, text)}
    judgements = {SAID.get(word, "") for word in found}
    if not found:
        return "the pattern finds nothing in the judge's reply"
    if "" in judgements:
        return "the pattern finds a word that is neither yes nor no in the judge's reply"
    return judgements.pop() if len(judgements) == 1 else "the judge's reply holds two verdicts that disagree"
