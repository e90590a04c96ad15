"""A text as words and as sets of word runs: what comparisons between texts are made of."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, lru_cache

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana and Han: scripts that put no space between words. A character is a word."""
_PARTS = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff"
"""Accents, and the vowel signs of Indic scripts: no `\\w` of their own, but parts of words."""
_WORD = re.compile(rf"[{UNSPACED}]|(?:[^\W_{UNSPACED}]|[{_PARTS}])+")
_PART = re.compile(f"[{_PARTS}]")
_ONE_UNSPACED = re.compile(f"[{UNSPACED}]")
_ASCII = bytes(range(0x80))
# ASCII in small letters, its marks as spaces; the bytes of other characters stay as they are.
_PLAIN = bytes(byte if byte > 0x7F else ord(chr(byte).lower() if chr(byte).isalnum() else " ") for byte in range(256))

SHINGLE_WORDS = 3
"""Longer runs make one changed word weigh more: with 3, one of 45 words changed leaves a similarity of 0.87."""


@lru_cache(maxsize=8)  # Several filters look at the same few texts one after another.
def words(text: str) -> tuple[str, ...]:
    """Return the words in small letters, without marks; a character each in scripts without spaces.

    Full-width letters, ligatures and other compatibility forms are read as the plain ones (NFKC); characters that
    show nothing, as the zero-width space, are left out.
    """
    data = text.encode("utf-8", "surrogatepass")
    if not text.isascii():
        others = _others(data)
        if not all(map(_is_settled, others)):
            text = _normalized(text, others)
            data = text.encode("utf-8", "surrogatepass")
            others = _others(data)
        marks = set(filter(_is_mark, others))
        if marks != others:
            text = text.lower()
            data = text.encode("utf-8", "surrogatepass")
        if any(map(_is_unspaced, others)):
            return tuple(_WORD.findall(text))
        if marks == others:
            data = text.encode("ascii", "replace")  # a question mark for each, which is a mark too
        else:
            for mark in marks:
                data = data.replace(mark.encode("utf-8", "surrogatepass"), b" ")
    # Several times as fast as a pattern: a table look-up for each byte.
    return tuple(data.translate(_PLAIN).decode("utf-8", "replace").split())


def is_unspaced(tokens: Sequence[str]) -> bool:
    """Return whether most words are single characters of a script without spaces."""
    return 2 * sum(len(word) == 1 and _is_unspaced(word) for word in tokens) > len(tokens)


def word_runs(text: str) -> Iterable[tuple[str, ...]]:
    """Return all runs of SHINGLE_WORDS words; of a shorter text all of it."""
    found = words(text)
    if len(found) < SHINGLE_WORDS:
        return (found,)
    return zip(*(found[start:] for start in range(SHINGLE_WORDS)), strict=False)


@lru_cache(maxsize=16)  # Near-copies and the choice of diverse traces look at the same ones.
def shingles(text: str) -> frozenset[int]:
    """Return hashes of all word runs; they are the same within one process only."""
    return frozenset(map(hash, word_runs(text)))


@lru_cache(maxsize=256)  # A set's hash is kept, and the pairs of one problem are asked for by several filters.
def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of common members, 0..1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _others(data: bytes) -> set[str]:
    """Return the characters of a text in UTF-8 that are not ASCII."""
    return set(data.translate(None, _ASCII).decode("utf-8", "surrogatepass"))


def _normalized(text: str, others: AbstractSet[str]) -> str:
    """Return a text in NFKC without the ignorable ones of its characters that are not ASCII."""
    text = unicodedata.normalize("NFKC", text)
    for ignorable in filter(_is_ignorable, others):
        text = text.replace(ignorable, "")
    return text


@cache
def _is_settled(character: str) -> bool:
    """Return whether a character is what it is whatever stands before it, and shows something."""
    is_accent = unicodedata.category(character).startswith("M")
    is_same = unicodedata.is_normalized("NFKC", character)
    return is_same and not is_accent and not _is_ignorable(character)


@cache
def _is_ignorable(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


@cache
def _is_mark(character: str) -> bool:
    return not character.isalnum() and not _PART.match(character)


@cache
def _is_unspaced(character: str) -> bool:
    return _ONE_UNSPACED.match(character) is not None
