"""What states, denies, bounds or takes back an answer: one row of `languages.toml` per language.

Every field is a regular expression without groups, matched against lower-case text with straight apostrophes. The
eleven languages of MGSM fill every field; Italian, Portuguese, Hindi and Korean have what states an answer.
"""

import functools
import re
import tomllib
from pathlib import Path
from typing import NamedTuple


class Language(NamedTuple):
    """The words of one language."""

    answer: str
    """Nouns for the final answer."""
    link: str
    """What ties the noun to what follows."""
    final: str = ""
    """Nouns that say it is the last word."""
    alternative: str = ""
    """`5 or 6`"""
    to: str = ""
    """`5 to 7`"""
    denies: str = ""
    """Before what is denied: `not 5`"""
    denied: str = ""
    """After what is denied: `5 is wrong`"""
    bounds: str = ""
    """Before a number that is a limit, not the value: `at least 5`"""
    limits: str = ""
    """Limits that a result may be stated with: `she needs at least 5`; the answer itself is not `at least 5`."""
    bounded: str = ""
    """After one: `5 or more`"""
    supposed: str = ""
    """In the sentence before an answer that is not the speaker's: `one might think the answer is 5`"""
    correction: str = ""
    """First words of a sentence that calls something wrong."""
    has_decimal_comma: bool = False


with Path(__file__).with_name("languages.toml").open("rb") as _file:
    LANGUAGES = {code: Language(**row) for code, row in tomllib.load(_file).items()}


ALL = tuple(LANGUAGES)
_LOOKAROUND = re.compile(r"\(\?<?[=!].*?\)")
NOUNS = {code: tuple(_LOOKAROUND.sub("", words.answer).split("|")) for code, words in LANGUAGES.items()}
"""Each language's nouns as literals, which a text is searched for far faster than for a pattern."""
_LATIN_NOUNS = {
    noun: {code for code in ALL if noun in NOUNS[code]} - {"en"}
    for code in ALL[1:]
    for noun in NOUNS[code]
    if noun.isascii() and not any(other in noun and other != noun for other in NOUNS[code])
}
_ASCII = bytes(range(128))


def spoken(low: str) -> tuple[str, ...]:
    """Return the languages that a lower-case text may be in: all, unless it is plain ASCII with English nouns."""
    if not low.isascii():  # bytes, for a loop over all characters takes ten times as long
        rest = low.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
        if any(map(str.isalpha, rest)):
            return ALL
    if found := [codes for noun, codes in _LATIN_NOUNS.items() if noun in low]:
        return tuple(code for code in ALL if code == "en" or any(code in codes for codes in found))
    return ("en",)


_FIELD = re.compile("@([a-z]+)@")


@functools.cache
def pattern(template: str, codes: tuple[str, ...] = ALL) -> re.Pattern[str]:
    """Return a pattern in which `@field@` is one alternation of that field over the languages."""

    def every(field: re.Match[str]) -> str:
        return "(?:" + ("|".join(filter(None, (getattr(LANGUAGES[code], field[1]) for code in codes))) or "(?!)") + ")"

    return re.compile(_FIELD.sub(every, template))
