"""Think tags: how a model marks its thinking, how a text is taken apart at them, what is wrong with them."""

import re
from typing import NamedTuple

from cotdistill.records import Thought

OPEN, CLOSE = THINK = ("<think>", "</think>")
"""DeepSeek-R1, Qwen3 and most others."""
THOUGHT = ("<|begin_of_thought|>", "<|end_of_thought|>")
SOLUTION = ("<|begin_of_solution|>", "<|end_of_solution|>")
"""Sky-T1's, which openMind's recipes train."""

PAIRS = (THINK, THOUGHT, SOLUTION)

STRAY_TAG = re.compile(
    r"</?\s*(?:think|thinking|thought|reasoning)\s*>|<\|(?:begin|end)_of_(?:thought|solution)\|>", re.IGNORECASE
)
"""Any tag that marks thinking or its end, other models' spellings included."""


class Split(NamedTuple):
    """A model's output, taken apart."""

    reasoning: str
    text: str
    """What follows the thinking; empty where it never ended: an unfinished thought is no answer."""
    is_empty: bool = False
    """Whether the place for thinking is there, with nothing in it."""
    thought: Thought = "none"
    """How the thinking ended; `none` too where nothing marks an end."""


def split_thinking(content: str) -> Split:
    """Take apart a content that may hold its thinking between `<think>` tags."""
    before, close, after = content.partition(CLOSE)
    lead, opened, thought = before.partition(OPEN)
    if close:
        reasoning = thought if opened else lead
        text = lead + after if opened else after
        return Split(reasoning.strip(), text.strip(), is_empty=not reasoning.strip(), thought="closed")
    if opened and not lead.strip():
        return Split(thought.strip(), "", is_empty=not thought.strip(), thought="unclosed")
    return Split("", content.strip())


def split_recorded(content: str) -> Split:
    """Take apart a recorded content, by Sky-T1's tags where it has them, else by `<think>` tags."""
    if THOUGHT[0] not in content:
        return split_thinking(content)
    thought, _, after = content.partition(THOUGHT[0])[2].partition(THOUGHT[1])
    text = after.partition(SOLUTION[0])[2].partition(SOLUTION[1])[0]
    return Split(thought, text, is_empty=not thought.strip())


def after_thinking(answer: str) -> str | None:
    """Return what follows the thinking of an answer; None where the thinking was never closed."""
    if "think>" not in answer:
        return answer
    rest = answer.rpartition(CLOSE)[2]
    return None if OPEN in rest else rest


def tag_fault(text: str) -> str:
    """Return what is wrong with the tags of an answer; empty where nothing is."""
    for opening, closing in PAIRS:
        opened, closed = text.count(opening), text.count(closing)
        if opened > closed:
            return f"{opening} is not closed"
        if closed > opened:
            return f"{closing} without {opening}"
        if opened > 1:
            return f"{opening} occurs {opened} times"
        if opened and text.index(opening) > text.index(closing):
            return f"{closing} comes before {opening}"
    return ""


def has_empty_thought(text: str) -> bool:
    """Return whether the place for thinking is there, with nothing in it."""
    opening, closing = next((pair for pair in (THINK, THOUGHT) if pair[0] in text), THINK)
    return opening in text and closing in text and not text.partition(opening)[2].partition(closing)[0].strip()
