"""Tells whether a text writes decimals with a point or a comma."""

import re
from typing import Literal

from cotdistill.verifiers._languages import LANGUAGES
from cotdistill.verifiers._numbers import DecimalMark

Locale = Literal["bn", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "sw", "te", "th", "zh"]
"""Languages whose separators are known: those of MGSM and a few more."""

_DECIMAL_COMMA = {"nl", *(code for code, words in LANGUAGES.items() if words.has_decimal_comma)}

_AMBIGUOUS = re.compile(r"\d(?:[.,]\d{3}(?!\d)| \d{3}(?!\d))")
_POINT = re.compile(r"\d,\d{3}\.\d|(?<![\d.])\d+\.\d{1,2}(?![\d.])|\d,\d\d,\d{3}|\d,\d{3},\d{3}")
_COMMA = re.compile(r"\d\.\d{3},\d|(?<![\d,])\d+,\d{1,2}(?![\d,])|\d\.\d{3}\.\d{3}")
_POINT_WORDS = re.compile(r"\b(?:is|are|and|of|has|so|in|to|for|with|you|answer)\b")
_COMMA_WORDS = re.compile(
    r"\b(?:der|das|ist|und|lautet|antwort|beträgt|insgesamt|het|een|antwoord|"  # de nl
    r"la|el|los|las|es|respuesta|una|cuesta|euros?|pesos|é|resposta|reais|"  # es pt
    r"le|les|est|réponse|donc|des|une|il|è|di|risposta)\b|[а-яё]{2}"  # fr it ru
)

_WINDOW = 600
"""Characters at the end of the answer whose words show its language; more cost time and add nothing."""


def decimal_mark(statement: str, answer: str, locale: Locale | None) -> DecimalMark:
    """Return the decimal mark of the locale, else the one that the numbers, then the words, of the answer show.

    The numbers and words of the answer are looked at only where it is not plainly English and the statement in
    question has digits that could mean two things.
    """
    if locale is not None:
        return "," if locale in _DECIMAL_COMMA else "."
    if " the " in answer or not _AMBIGUOUS.search(statement):
        return "."
    tail = answer[-_WINDOW:].lower()
    point, comma = len(_POINT.findall(tail)), len(_COMMA.findall(tail))
    if point == comma:
        point, comma = len(_POINT_WORDS.findall(tail)), len(_COMMA_WORDS.findall(tail))
    return "," if comma > point else "."
