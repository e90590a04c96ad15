"""Think tags of a finished answer: each opened tag is closed, once and in order."""

PAIRS = (
    ("<think>", "</think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
)


def tag_fault(text: str) -> str:
    """Return what is wrong with the tags of an answer; empty where nothing is."""
    for opening, closing in PAIRS:
        opened, closed = text.count(opening), text.count(closing)
        if opened > closed:
            return f"{opening} is not closed"
        if closed > opened:
            return f"{closing} without {opening}"
        if opened > 1:
            return f"{opening} stands {opened} times"
        if opened and text.index(opening) > text.index(closing):
            return f"{closing} stands before {opening}"
    return ""


def has_empty_thought(text: str) -> bool:
    """Say whether the place for thinking is there, with nothing in it."""
    opening, closing = next((pair for pair in PAIRS[:2] if pair[0] in text), PAIRS[0])
    return opening in text and closing in text and not text.partition(opening)[2].partition(closing)[0].strip()
