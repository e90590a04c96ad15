"""Texts that turn in circles: what was said comes again, in the same words or in others, or the text ends in a loop."""

from collections import Counter
from collections.abc import Sequence

from cotdistill.filters import Reason
from cotdistill.filters._windows import stale_bytes
from cotdistill.filters.shingles import words
from cotdistill.records import Trace

BLOCK_WORDS = 12
"""Careful rationales repeat phrases; a run of a dozen words that comes a third time is a circle."""
BLOCK_TIMES = 3
PASSAGE_WORDS = 40
"""A run of this many words counts when it comes a second time: a rationale that is written twice."""
LOOP_TIMES = 4
LOOP_WORDS = 24
"""A loop at the end counts from this many words on, whatever its share: the model did not get out of it."""


def reason_against_repetition(trace: Trace, most: float) -> Reason | None:
    """Return which text repeats itself and how much; None where neither does beyond the limit."""
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        found = words(text)
        share = repeated_share(found)
        if share > most:
            blocks = f"{share:.1%} of the {name} stands in blocks that come {BLOCK_TIMES} times"
            return Reason("repetition", f"{blocks}, or twice from {PASSAGE_WORDS} words on (limit {most:.1%})")
        period, length = closing_loop(found)
        if length:
            loop = f"the {name} ends in {period} words, {length // period} times (limit {LOOP_TIMES - 1})"
            return Reason("repetition", loop)
        stale, size = stale_bytes(text)
        if stale > most * size:
            return Reason("repetition", f"{stale / size:.1%} of the {name} says next to nothing new (limit {most:.1%})")
    return None


def repeated_share(found: Sequence[str]) -> float:
    """Return the share of words in repeated blocks, 0..1.

    A block is a run of BLOCK_WORDS that occurs BLOCK_TIMES or more often, or one of PASSAGE_WORDS that occurs twice.
    """
    runs = list(map(hash, zip(*(found[i:] for i in range(BLOCK_WORDS)), strict=False)))
    if len(set(runs)) == len(runs):
        return 0.0
    times = Counter(runs)
    repeated, covered_to, twice = 0, 0, 0
    for start, run in enumerate([*runs, 0]):
        end = start + BLOCK_WORDS
        if times[run] >= BLOCK_TIMES:
            repeated += end - max(start, covered_to)
            covered_to = end
        twice = twice + 1 if times[run] > 1 else 0
        if twice > PASSAGE_WORDS - BLOCK_WORDS:
            repeated += max(0, end - max(end - PASSAGE_WORDS, covered_to))
            covered_to = end
    return repeated / len(found)


def closing_loop(found: Sequence[str]) -> tuple[int, int]:
    """Return period and length in words of the loop that the text ends in; (0, 0) where it ends in none.

    The period of a suffix is its length less its longest border (Knuth, Morris and Pratt 1977).
    """
    if len(found) < LOOP_WORDS or not _comes_back(tuple(found[-LOOP_WORDS // LOOP_TIMES :]), found):
        return 0, 0
    backwards = found[::-1]
    borders = [0] * len(backwards)
    best = (0, 0)
    border = 0
    for i in range(1, len(backwards)):
        while border and backwards[i] != backwards[border]:
            border = borders[border - 1]
        border += backwards[i] == backwards[border]
        borders[i] = border
        length, period = i + 1, i + 1 - border
        if length >= LOOP_WORDS and length >= LOOP_TIMES * period:
            best = (period, length)
    return best


def _comes_back(tail: tuple[str, ...], found: Sequence[str]) -> bool:
    """Return whether the last words stand in a text three times, as those of every loop do: most texts end here."""
    if found.count(tail[-1]) < LOOP_TIMES:
        return False
    ends = (end for end, word in enumerate(found, start=1) if word == tail[-1])
    return sum(tuple(found[end - len(tail) : end]) == tail for end in ends) >= 3
