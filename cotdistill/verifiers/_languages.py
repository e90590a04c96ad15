"""What states, denies or takes back an answer, one row of `languages.toml` per language, and how it writes numbers.

Every field is a regular expression without groups, matched against lower-case text with straight apostrophes. The
eleven languages of MGSM fill every field; Italian, Portuguese, Hindi and Korean have what states an answer.
"""

import functools
import re
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

from cotdistill.numbers.digits import DecimalMark


class Language(NamedTuple):
    """The words of one language."""

    answer: str
    """Nouns for the final answer."""
    link: str
    """What ties the noun to what follows."""
    alternative: str = ""
    """`5 or 6`"""
    to: str = ""
    """`5 to 7`"""
    denies: str = ""
    """Before what is denied, or a limit: `not 5`, `more than 5`"""
    denied: str = ""
    """After it: `5 is wrong`, `5 or more`"""
    limits: str = ""
    """Limits that a result may be stated with: `she needs at least 5`; the answer itself is not `at least 5`."""
    supposed: str = ""
    """In the sentence before an answer that is not the speaker's: `one might think the answer is 5`"""
    correction: str = ""
    """First words of a sentence that calls something wrong."""


with Path(__file__).with_name("languages.toml").open("rb") as _file:
    LANGUAGES = {code: Language(**row) for code, row in tomllib.load(_file).items()}
ALL = tuple(LANGUAGES)
_LOOKAROUND = re.compile(r"\(\?<?[=!].*?\)")
NOUNS = {code: tuple(_LOOKAROUND.sub("", words.answer).split("|")) for code, words in LANGUAGES.items()}
"""Each language's nouns as literals, which a text is searched for far faster than for a pattern."""
_LATIN_NOUNS = {noun for code in ALL for noun in NOUNS[code] if noun.isascii()} - {*NOUNS["en"]}
_ASCII = bytes(range(128))
_FIELD = re.compile("@([a-z]+)@")


def spoken(low: str) -> tuple[str, ...]:
    """Return the languages that a lower-case text may be in: all, or English for plain ASCII with English nouns."""
    if not low.isascii():  # bytes, for a loop over all characters takes ten times as long
        rest = low.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
        if any(map(str.isalpha, rest)):
            return ALL
    return ALL if any(map(low.__contains__, _LATIN_NOUNS)) else ("en",)


@functools.cache
def pattern(template: str, codes: tuple[str, ...] = ALL) -> re.Pattern[str]:
    """Return a pattern in which `@field@` is one alternation of that field over the languages."""

    def every(field: re.Match[str]) -> str:
        return "(?:" + ("|".join(filter(None, (getattr(LANGUAGES[code], field[1]) for code in codes))) or "(?!)") + ")"

    return re.compile(_FIELD.sub(every, template))


Locale = Literal["bn", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "sw", "te", "th", "zh"]
"""Languages whose separators are known: those of MGSM and a few more."""
_DECIMAL_COMMA = {"de", "es", "fr", "it", "nl", "pt", "ru"}
_AMBIGUOUS = re.compile(r"\d(?:[.,]\d{3}(?!\d)| \d{3}(?!\d))")
_POINT = re.compile(r"\d,\d{3}\.\d|(?<![\d.])\d+\.\d{1,2}(?![\d.])|\d,\d\d,\d{3}|\d,\d{3},\d{3}")
_COMMA = re.compile(r"\d\.\d{3},\d|(?<![\d,])\d+,\d{1,2}(?![\d,])|\d\.\d{3}\.\d{3}")
_POINT_WORDS = re.compile(r"\b(?:is|are|and|of|has|so|in|to|for|with|you|answer)\b")
_COMMA_WORDS = re.compile(
    r"\b(?:der|das|ist|und|lautet|antwort|beträgt|insgesamt|het|een|antwoord|"  # de nl
    r"la|el|los|las|es|respuesta|una|cuesta|euros?|pesos|é|resposta|reais|"  # es pt
    r"le|les|est|réponse|donc|des|une|il|è|di|risposta)\b|[а-яё]{2}"  # fr it ru
)


def decimal_mark(statement: str, answer: str, locale: Locale | None) -> DecimalMark:
    """Return the decimal mark of the locale, else the one that the numbers, then the words, of the answer show.

    The end of the answer is looked at only where it is not plainly English and the statement in question has digits
    that could mean two things.
    """
    if locale is not None:
        return "," if locale in _DECIMAL_COMMA else "."
    if " the " in answer or not _AMBIGUOUS.search(statement):
        return "."
    tail = answer[-600:].lower()
    point, comma = len(_POINT.findall(tail)), len(_COMMA.findall(tail))
    if point == comma:
        point, comma = len(_POINT_WORDS.findall(tail)), len(_COMMA_WORDS.findall(tail))
    return "," if comma > point else "."
