"""Which language a rationale and its answer are in, and how much of them is in another.

R1 switches languages inside a rationale. A text is cut into stretches of one script; where the script does not tell
the language, each stretch is classified by py3langid (Lui and Baldwin 2012), so that a switch shows as a share.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from cotdistill.errors import UserError
from cotdistill.filters import Reason
from cotdistill.filters.prose import prose
from cotdistill.records import Trace

LANGUAGES = (
    *("ar", "bn", "cs", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it"),
    *("ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "sw", "te", "th", "tr", "uk", "vi", "zh"),
)
"""ISO 639-1 codes that can be asked for. Fewer candidates make short stretches safer."""

LEAST_SHARE = 0.9
"""Names and quoted words of another language are usual; a tenth of a text is more than that."""
LEAST_LETTERS = 40
"""A text with less prose is not decided, and stays."""
STRETCH_LETTERS = 200
"""All 2,750 questions of MGSM, of about this length, are told apart but one."""

_LANGUAGE_OF_SCRIPT = {
    "kana": "ja",
    "hangul": "ko",
    "thai": "th",
    "bengali": "bn",
    "telugu": "te",
    "devanagari": "hi",
    "greek": "el",
    "hebrew": "he",
    "other": "another",
}
_DENSE = {"han": 3, "kana": 2, "hangul": 3}
"""Letters that one character stands for: 1,000 Han characters say what about 3,000 letters do."""


def reason_against_language(trace: Trace, language: str) -> Reason | None:
    """Return which text is how much in other languages; None where both are in this one or too short to tell.

    Raises: UserError without the package py3langid.
    """
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        letters = letters_by_language(text)
        total = letters.total()
        if total >= LEAST_LETTERS and letters[language] < LEAST_SHARE * total:
            others = ", ".join(f"{code} {n / total:.0%}" for code, n in letters.most_common(3) if code != language)
            own = f"{letters[language] / total:.0%} of the {name} is {language}"
            return Reason("language", f"{own} (limit {LEAST_SHARE:.0%}); {others}")
    return None


def letters_by_language(text: str) -> Counter[str]:
    """Return how many letters of the prose are in each language; dense scripts are counted as Latin letters.

    Raises: UserError without the package py3langid.
    """
    found: Counter[str] = Counter()
    by_script = prose(text)
    sizes = {script: _letters(words) * _DENSE.get(script, 1) for script, words in by_script.items()}
    main = max(sizes, key=lambda script: sizes[script], default="")
    for script, words in by_script.items():
        if told := _told_by(script, sizes):
            found[told] += sizes[script]
            continue
        # In a text of another script, capitals mark names: `Natalia` or `iPhone` in a Chinese sentence is no switch.
        meant = words if script == main else [word for word in words if word.islower()]
        for stretch in _stretches(meant):
            found[_classified(" ".join(stretch))] += _letters(stretch)
    return found


def _told_by(script: str, sizes: Mapping[str, int]) -> str | None:
    """Return the language that a script alone tells; Han characters among kana are Japanese."""
    if script == "han":
        return "ja" if 10 * sizes.get("kana", 0) >= sizes["han"] else "zh"
    return _LANGUAGE_OF_SCRIPT.get(script)


def _letters(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _stretches(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield neighbouring words of about STRETCH_LETTERS letters; a short rest goes with the stretch before it."""
    starts, letters = [0], 0
    for place, word in enumerate(words):
        if letters >= STRETCH_LETTERS:
            starts.append(place)
            letters = 0
        letters += len(word)
    if len(starts) > 1 and letters < LEAST_LETTERS:
        starts.pop()
    return (words[start:end] for start, end in pairwise([*starts, len(words)]) if words)


def _classified(text: str) -> str:
    return str(_identifier().classify(text)[0])


@cache
def _identifier() -> Any:  # Any: py3langid has no types
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise UserError("`filter.language` needs py3langid", hint="pip install 'cotdistill[filter]'") from None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    return identifier
