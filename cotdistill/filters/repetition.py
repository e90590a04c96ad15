"""Texts that turn in circles: a block of words that comes again and again, or a loop that the text ends in."""

from collections import Counter
from collections.abc import Sequence

from cotdistill.filters import Reason
from cotdistill.filters.shingles import words
from cotdistill.records import Trace

BLOCK_WORDS = 12
"""Careful rationales repeat phrases; a run of a dozen words that comes a third time is a circle."""
BLOCK_TIMES = 3
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
            return Reason("repetition", f"{blocks} (limit {most:.1%})")
        period, length = closing_loop(found)
        if length:
            loop = f"the {name} ends in {period} words, {length // period} times (limit {LOOP_TIMES - 1})"
            return Reason("repetition", loop)
    return None


def repeated_share(found: Sequence[str]) -> float:
    """Return the share of words inside a run of BLOCK_WORDS that occurs BLOCK_TIMES or more often, 0..1."""
    runs = [hash(run) for run in zip(*(found[i:] for i in range(BLOCK_WORDS)), strict=False)]
    times = Counter(runs)
    if not times or times.most_common(1)[0][1] < BLOCK_TIMES:
        return 0.0
    repeated, covered_to = 0, 0
    for start, run in enumerate(runs):
        if times[run] >= BLOCK_TIMES:
            end = start + BLOCK_WORDS
            repeated += end - max(start, covered_to)
            covered_to = end
    return repeated / len(found)


def closing_loop(found: Sequence[str]) -> tuple[int, int]:
    """Return period and length in words of the loop that the text ends in; (0, 0) where it ends in none.

    The period of a suffix is its length less its longest border (Knuth, Morris and Pratt 1977).
    """
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
