"""What states, denies, bounds or takes back an answer: one row of `languages.toml` per language.

Every field is a regular expression without groups, matched against lower-case text with straight apostrophes. The
eleven languages of MGSM fill every field; Italian, Portuguese, Hindi and Korean have what states an answer.
"""

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


def every(field: str) -> str:
    """Return one alternation of a field over all languages."""
    return "(?:" + "|".join(filter(None, (getattr(words, field) for words in LANGUAGES.values()))) + ")"
