"""The judge's persona: it compares the two answers that a prompt shows, and replies in the form that is asked for.

It knows a prompt by the reference answer and the student's answer in it, English or Chinese, with a fence or without.
"""

import json
import random
import re
from typing import NamedTuple

REFERENCE = re.compile(
    r"(?:reference|gold|expected|correct) (?:answer|solution)\s*[:：]\s*(?P<en>\S.*)"
    r"|(?:标准|参考|正确)(?:答案|解答)\s*[:：]\s*(?P<zh>\S.*)",
    re.IGNORECASE,
)
FENCED = re.compile(r"<(\w+) (?P<nonce>\w{8,})>\s*(?P<said>.*?)\s*</\1 (?P=nonce)>", re.DOTALL)
LABELLED = re.compile(
    r"student(?:'s)? (?:final )?(?:answer|solution)\s*[:：]\s*(?P<en>\S.*)"
    r"|学生(?:的)?(?:答案|解答|回答)\s*[:：]\s*(?P<zh>\S.*)",
    re.IGNORECASE,
)
FIELD = re.compile(r"(\w*是否\w+)\s*[:：]")
"""A field of a Chinese form that is answered by yes or no."""
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Comparison(NamedTuple):
    """What a judge is asked."""

    prompt: str
    gold: str
    said: str
    nonce: str
    """Empty where the prompt has no fence."""


def find_comparison(prompt: str) -> Comparison | None:
    """Return what a prompt asks to compare; None where it is no judge's."""
    reference, fenced, labelled = (pattern.search(prompt) for pattern in (REFERENCE, FENCED, LABELLED))
    if reference is None or (fenced is None and labelled is None):
        return None
    gold = reference["en"] or reference["zh"]
    if fenced is not None:
        return Comparison(prompt, gold, fenced["said"], fenced["nonce"])
    assert labelled is not None, "one of the two was found"
    return Comparison(prompt, gold, labelled["en"] or labelled["zh"], "")


def reply(asked: Comparison, rng: random.Random, *, error_rate: float) -> str:
    """Return the judge's reply; a share `error_rate` of them says the contrary."""
    is_same = _is_same(asked.gold, asked.said)
    if rng.random() < error_rate:
        is_same = not is_same
    if '"verdict"' in asked.prompt:
        return json.dumps({"nonce": asked.nonce, "verdict": "correct" if is_same else "wrong"})
    if asked.nonce:
        return f"{asked.nonce}: {'yes' if is_same else 'no'}"
    if field := FIELD.search(asked.prompt):
        return f"{field[1]}：{'是' if is_same else '否'}"
    return "yes" if is_same else "no"


def _is_same(gold: str, said: str) -> bool:
    """Return whether two answers end in one number, or the second holds the words of the first."""
    numbers, others = NUMBER.findall(gold), NUMBER.findall(said)
    if numbers:
        return bool(others) and float(numbers[-1]) == float(others[-1])
    expected, found = (["", *re.findall(r"\w+", text.casefold()), ""] for text in (gold, said))
    return len(expected) > 2 and " ".join(expected) in " ".join(found)
