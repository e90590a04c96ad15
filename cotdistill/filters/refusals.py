"""Answers that decline to answer, in the words of assistants."""

import re

from cotdistill.filters import Reason
from cotdistill.records import Trace

LEAD_CHARS = 300
"""A refusal stands at the start; `I cannot help but notice` deep inside a solution is none."""

_DO = r"(?:help|assist|answer|provide|comply|fulfil|fulfill|complete|continue|discuss|engage|solve|do that|process)"
_REFUSAL = re.compile(
    rf"\bI(?:'m| am)? (?:can(?:'|’)?t|cannot|can not|won(?:'|’)?t|will not|(?:am )?unable to|not able to)"
    rf"(?: \w+ly)? {_DO}\b(?! but\b)"
    r"|\bI(?:'|’)?m (?:really |very |so )?sorry, (?:but )?(?:as an AI|I (?:can|am|will)(?:'|’)?(?:t|not| not|unable)?)"
    r"|\bas an? (?:AI|artificial intelligence)(?: language)?(?: model| assistant)?\b"
    r"|\bI must (?:decline|refuse)\b"
    r"|(?:抱歉|对不起|很遗憾|不好意思)[,，。!！ ]*(?:但)?(?:我|作为)[^。\n]{0,12}(?:无法|不能|没法|不可以|没有办法)"
    r"|我(?:无法|不能|没法)(?:回答|提供|协助|帮助|满足|讨论|完成|解答)"
    r"|作为(?:一个|一名)?(?:AI|人工智能|语言模型|大模型)",
    re.IGNORECASE,
)


def reason_against_refusal(trace: Trace) -> Reason | None:
    """Return the words that decline; None where the answer does not begin so."""
    refusal = _REFUSAL.search(trace.completion.text[:LEAD_CHARS])
    return Reason("refused", f"the answer begins with `{refusal[0]}` (limit 0 times)") if refusal else None
