"""The words of a text that tell its language: without code, formulas, numbers and marks."""

import re
from functools import cache

_NO_PROSE = re.compile(
    r"```.*?(?:```|\Z)"  # code
    r"|`[^`\n]*`"
    r"|\$\$.*?\$\$|\\\[.*?\\\]|\\\(.*?\\\)"  # formulas
    r"|\$[^$\n]*[\\^_=][^$\n]*\$"  # not `$5 for one and $8 for two`
    r"|\\begin\{(\w+\*?)\}.*?\\end\{\1\}"
    r"|\\[a-zA-Z]+"
    r"|https?://\S+"
    r"|</?\w+[^<>\n]{0,80}>",
    re.DOTALL,
)

_SCRIPTS = {
    "kana": "\u3040-\u30ff",
    "han": "\u3400-\u9fff\uf900-\ufaff",
    "hangul": "\u1100-\u11ff\uac00-\ud7af",
    "thai": "\u0e00-\u0e7f",
    "bengali": "\u0980-\u09ff",
    "telugu": "\u0c00-\u0c7f",
    "devanagari": "\u0900-\u0963\u0966-\u097f",  # without the full stop that Bengali uses too
    "greek": "\u0370-\u03ff",
    "hebrew": "\u0590-\u05ff",
    "arabic": "\u0600-\u06ff",
    "cyrillic": "\u0400-\u04ff",
    "latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff'",
}
# A single letter of these is a variable and no word.
_WORDS = {
    name: re.compile(f"[{letters}]{{2,}}" if name in ("latin", "greek", "cyrillic") else f"[{letters}]+")
    for name, letters in _SCRIPTS.items()
}
_WORDS["other"] = re.compile(rf"[^\W\d_{''.join(_SCRIPTS.values())}]+")  # from Armenian to Tamil


_LETTERS = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()} | {"other": _WORDS["other"]}
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
# ASCII letters as they are, everything else as spaces.
_LETTERS_ALONE = bytes(
    byte if (chr(byte).isalpha() and byte < 0x80) or byte == ord("'") else 0x20 for byte in range(256)
)


def prose(text: str) -> dict[str, list[str]]:
    """Return the words by script, in order; scripts without a word are left out."""
    cleaned = _NO_PROSE.sub(" ", text).replace("’", "'")
    others = {script for script in map(_script, set(_NON_ASCII.findall(cleaned))) if script}
    found = {script: words.findall(cleaned) for script, words in _WORDS.items() if script in others}
    if "latin" not in others:
        # Twice as fast as the pattern: a table look-up for each byte.
        plain = cleaned.encode("ascii", "replace").translate(_LETTERS_ALONE).decode("ascii")
        found["latin"] = [word for word in plain.split() if len(word) > 1]
    return {script: words for script, words in found.items() if words}


@cache
def _script(character: str) -> str:
    """Return the script that a character is part of; empty where it is a mark."""
    return next((name for name, letters in _LETTERS.items() if letters.match(character)), "")
