"""A text as words and as sets of word runs: what comparisons between texts are made of."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

_ASCII = re.compile(r"[a-z0-9]+")
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana and Han: scripts that put no space between words. A character is a word."""
# Vowel signs of Indic scripts are no `\w` of their own, but parts of words.
_ANY = re.compile(rf"[{UNSPACED}]|(?:[^\W_{UNSPACED}]|[\u0300-\u036f\u0900-\u0963\u0966-\u0dff])+")
_ONE_UNSPACED = re.compile(f"[{UNSPACED}]")

SHINGLE_WORDS = 3
"""Longer runs make one changed word weigh more: with 3, one of 45 words changed leaves a similarity of 0.87."""


@lru_cache(maxsize=8)  # Several screens look at the same few texts one after another.
def words(text: str) -> tuple[str, ...]:
    """Return the words in small letters, without marks; a character each in scripts without spaces."""
    lowered = text.lower()
    return tuple((_ASCII if lowered.isascii() else _ANY).findall(lowered))


def is_unspaced(tokens: Sequence[str]) -> bool:
    """Return whether most words are single characters of a script without spaces."""
    return 2 * sum(len(word) == 1 and _ONE_UNSPACED.match(word) is not None for word in tokens) > len(tokens)


def word_runs(text: str) -> Iterable[tuple[str, ...]]:
    """Return all runs of SHINGLE_WORDS words; of a shorter text all of it."""
    found = words(text)
    if len(found) < SHINGLE_WORDS:
        return (found,)
    return zip(*(found[start:] for start in range(SHINGLE_WORDS)), strict=False)


def shingles(text: str) -> frozenset[int]:
    """Return hashes of all word runs; they are the same within one process only."""
    return frozenset(map(hash, word_runs(text)))


def jaccard(one: AbstractSet[int], other: AbstractSet[int]) -> float:
    """Return the share of common members, 0..1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)
