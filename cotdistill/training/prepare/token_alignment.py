"""The teacher's tokens beside the student's: which two cover the same bytes of what both say.

    teacher  The| ans|wer| is| 72|.            student  <tag>|The| answer| is| |72|.
    pairs    The = The, is = is, . = .         ` ans|wer` against ` answer` and ` 72` against ` |72` are none

Where the texts are equal, two tokens that cover the same bytes are a pair. A style may put tags around a teacher's text
or strip its white space, and a tokenizer may lose line breaks; then dynamic programming finds the stretches that both
texts have (Fu et al. 2023, arXiv 2301.12726, align token strings; over bytes a word that occurs twice is never taken
for its other occurrence, as long as what is around it is the same).

Of all ways to lay the texts side by side, in order, it finds one with the highest score: a byte that both have earns 1,
each stretch costs RUN_COST, and bytes of one text alone are free.
"""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

RUN_COST = 4
"""Bytes that a stretch must be longer than, about one token: what is shorter agrees by chance."""

LEAST_SHARED = 0.5
"""Share of the teacher's bytes that the student's text must have. Below it the row leaves out most of what the teacher
had said when it gave its probabilities, as a row with the answer alone does."""

UNITS = (re.compile(rb" ?[A-Za-z]+|[\xc0-\xff][\x80-\xbf]*|.", re.DOTALL), re.compile(rb"[^\n]*\n+|[^\n]+"))
"""What is compared whole: words with the space before them, digits, marks and other characters; lines where the texts
are too long for that."""

MOST_CELLS = 1 << 26
"""Largest table, a byte a cell: two texts of 8,192 units, about 30 KiB of English each."""

CONTINUES, ENDS, UP = 1, 2, 4
"""Flags of a cell: its match goes on with a stretch; the best score ends in it; the best score is the one above it."""

IMPOSSIBLE = -(1 << 30)


class Run(NamedTuple):
    """A stretch of bytes that two texts have."""

    teacher_start: int
    student_start: int
    size_bytes: int


def aligned(teacher: Sequence[bytes], student: Sequence[bytes]) -> list[int | None]:
    """Return for each token of the student the number of the teacher's token that covers the same bytes; None: none.

    Tokens are given by their bytes; those without any, as control tokens are, have no partner.
    """
    said, learned = b"".join(teacher), b"".join(student)
    shared = runs(said, learned)
    found: list[int | None] = [None] * len(student)
    if sum(run.size_bytes for run in shared) < LEAST_SHARED * len(said):
        return found
    numbers = {start: n for n, (start, token) in enumerate(zip(_starts(teacher), teacher, strict=True)) if token}
    waiting = iter(shared)
    run = next(waiting, None)
    for place, (start, token) in enumerate(zip(_starts(student), student, strict=True)):
        while run is not None and run.student_start + run.size_bytes < start + len(token):
            run = next(waiting, None)
        if run is None:
            break
        number = numbers.get(run.teacher_start + start - run.student_start)
        if token and start >= run.student_start and number is not None and len(teacher[number]) == len(token):
            found[place] = number
    return found


def runs(teacher: bytes, student: bytes) -> list[Run]:
    """Return the stretches of the highest score that two texts have, in order."""
    if teacher == student:
        return [Run(0, 0, len(teacher))] if teacher else []
    for unit in UNITS:
        one, other = unit.findall(teacher), unit.findall(student)
        if len(one) * len(other) <= MOST_CELLS:
            return _as_bytes(_traced(_table(one, other)), _starts(one), _starts(other), one)
    return []


def _starts(parts: Sequence[bytes]) -> list[int]:
    """Return the place of the first byte of each part."""
    return list(accumulate(map(len, parts), initial=0))[:-1]


def _table(teacher: Sequence[bytes], student: Sequence[bytes]) -> "np.ndarray":
    """Return the flags of every pair of units, (1 + teacher's units, 1 + student's units)."""
    import numpy as np

    numbers: dict[bytes, int] = {}
    units = np.array([numbers.setdefault(unit, len(numbers)) for unit in student], np.int32)
    flags = np.zeros((len(teacher) + 1, len(student) + 1), np.uint8)
    best = np.zeros(len(student) + 1, np.int32)
    """The highest score of the units so far, by how many of the student's there are."""
    matched = np.full(len(student) + 1, IMPOSSIBLE, np.int32)
    """The same where the last two units are a match."""
    for number, unit in enumerate(teacher, start=1):
        begun = best[:-1] - RUN_COST
        continues = matched[:-1] >= begun
        score = np.maximum(begun, matched[:-1]) + len(unit)
        matched = np.full_like(best, IMPOSSIBLE)
        matched[1:] = np.where(units == numbers.get(unit, -1), score, IMPOSSIBLE)
        above, best = best, np.maximum.accumulate(np.maximum(best, matched))
        # A match that only equals what is there without it is none.
        ends = matched[1:] > np.maximum(above[1:], best[:-1])
        flags[number, 1:] = continues * CONTINUES + ends * ENDS + (best[1:] == above[1:]) * UP
    return flags


def _traced(flags: "np.ndarray") -> list[list[tuple[int, int]]]:
    """Return the stretches of the best way through the table, in order, each as its pairs of units."""
    found: list[list[tuple[int, int]]] = []
    one, other = flags.shape[0] - 1, flags.shape[1] - 1
    while one and other:
        flag = flags[one, other]
        if flag & ENDS:
            pairs = [(one - 1, other - 1)]
            while flag & CONTINUES:
                one, other = one - 1, other - 1
                pairs.append((one - 1, other - 1))
                flag = flags[one, other]
            one, other = one - 1, other - 1
            found.append(pairs[::-1])
        elif flag & UP:
            one -= 1
        else:
            other -= 1
    return found[::-1]


def _as_bytes(
    found: Sequence[Sequence[tuple[int, int]]],
    teacher_starts: Sequence[int],
    student_starts: Sequence[int],
    units: Sequence[bytes],
) -> list[Run]:
    return [
        Run(teacher_starts[one], student_starts[other], sum(len(units[number]) for number, _ in pairs))
        for pairs in found
        for one, other in pairs[:1]
    ]
