"""Phrases by language: rows of a TOML table of regular expressions, and the search for them.

[de]
cues = ['hinweis']
phrases = ['der hinweis (?:sagt|besagt)']
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

REACH = 100
"""Characters before and after a cue that a phrase may take."""


class Phrases(NamedTuple):
    """The phrases of one language."""

    cues: tuple[str, ...]
    """Texts of which every match holds one: they are found many times as fast as a pattern."""
    pattern: re.Pattern[str]


def read_phrases(name: str) -> dict[str, Phrases]:
    """Return the phrases of a table in this folder by ISO 639-1 code."""
    with Path(__file__).with_name(name).open("rb") as file:
        rows = tomllib.load(file)
    return {
        code: Phrases(
            tuple(map(_composed, row["cues"])), re.compile("|".join(f"(?:{_composed(one)})" for one in row["phrases"]))
        )
        for code, row in rows.items()
    }


def first_phrase(text: str, languages: Sequence[Phrases]) -> str | None:
    """Return the first phrase of the first language that a text has, in small letters; None where it has none."""
    low = text.lower()
    if not low.isascii():
        low = _composed(low.replace("’", "'"))
    for cues, pattern in languages:
        for cue in cues:
            place, done = low.find(cue), 0
            while place >= 0:
                end = place + len(cue) + REACH
                if found := pattern.search(low, max(place - REACH, done), end):
                    return found[0]
                # The next cue that this search has not reached with room for a whole phrase.
                done, place = place, low.find(cue, place + len(cue))
    return None


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
