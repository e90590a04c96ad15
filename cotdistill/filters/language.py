"""Which language a rationale and its answer are in, and how much of them is in another.

R1 switches languages inside a rationale. A text is cut into stretches of one script; where the script does not tell
the language, each stretch is classified by py3langid (Lui and Baldwin 2012), so that a switch shows as a share.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
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
STRETCH_LETTERS = 100
"""One or two sentences. Stretches of 60 are told apart as well in prose, but headings and lists of names are not: of
994 R1 texts in English four had less than 0.92 of it then, and none less than 0.99 with 100."""
MOST_REMEMBERED = 100_000
"""Words whose scores are kept in memory, 120 bytes each and as much again for the word."""

_NOTHING_KNOWN = -1e30

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


def reason_against_language(trace: Trace, language: str, least: float = LEAST_SHARE) -> Reason | None:
    """Return which text is how much in other languages; None where both are in this one or too short to tell.

    `least` is the share of each text's letters that has to be in the language, 0..1.

    Raises: UserError without the package py3langid.
    """
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        letters = letters_by_language(text)
        total = letters.total()
        if total >= LEAST_LETTERS and letters[language] < least * total:
            others = ", ".join(f"{code} {n / total:.0%}" for code, n in letters.most_common(3) if code != language)
            own = f"{letters[language] / total:.0%} of the {name} is {language}"
            return Reason("language", f"{own} (limit {least:.0%}); {others}")
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
        if meant:
            ends = list(accumulate(map(len, meant)))
            starts = _starts(ends)
            sums = [ends[start - 1] if start else 0 for start in starts] + [ends[-1]]
            for code, (before, after) in zip(_classifier().languages(meant, starts), pairwise(sums), strict=True):
                found[code] += after - before
    return found


def _told_by(script: str, sizes: Mapping[str, int]) -> str | None:
    """Return the language that a script alone tells; Han characters among kana are Japanese."""
    if script == "han":
        return "ja" if 10 * sizes.get("kana", 0) >= sizes["han"] else "zh"
    return _LANGUAGE_OF_SCRIPT.get(script)


def _letters(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _starts(ends: Sequence[int]) -> list[int]:
    """Return where stretches of about STRETCH_LETTERS letters begin; a short rest goes with the stretch before it.

    `ends` are the letters up to the end of each word.
    """
    starts, before = [0], 0
    while (start := bisect_left(ends, before + STRETCH_LETTERS) + 1) < len(ends):
        before = ends[start - 1]
        starts.append(start)
    if len(starts) > 1 and ends[-1] - before < LEAST_LETTERS:
        starts.pop()
    return starts


class _Classifier:
    """py3langid's naive Bayes, asked word by word: the same words come in all texts, and what one says is remembered.

    Runs of letters that go over the end of a word are not counted; on MGSM and R1's texts that changes no result.
    """

    def __init__(self, identifier: Any) -> None:  # Any: py3langid has no types
        self._identifier = identifier
        self._codes: list[str] = list(map(str, identifier.nb_classes))
        self._rows: dict[str, int] = {}
        self._scores = self._table(1024)

    def languages(self, words: Sequence[str], starts: Sequence[int]) -> list[str]:
        """Return the language of each stretch of words that begins at a start."""
        import numpy as np

        if len(self._rows) > MOST_REMEMBERED:
            self._rows, self._scores = {}, self._table(1024)
        try:
            rows = list(map(self._rows.__getitem__, words))
        except KeyError:
            for word in dict.fromkeys(words):
                if word not in self._rows:
                    self._learn(word)
            rows = list(map(self._rows.__getitem__, words))
        sums = np.add.reduceat(self._scores.take(rows, axis=0), starts) + self._identifier.nb_pc
        return [self._codes[best] for best in sums.argmax(axis=1)]

    def _learn(self, word: str) -> None:
        ranked = dict(self._identifier.rank(f" {word} "))
        scores = [ranked[code] - prior for code, prior in zip(self._codes, self._identifier.nb_pc, strict=True)]
        if len(self._rows) == len(self._scores):
            table = self._table(2 * len(self._rows))
            table[: len(self._rows)] = self._scores
            self._scores = table
        # A word without any known run of letters has the lowest score there is, for all languages.
        self._scores[len(self._rows)] = scores if min(scores) > _NOTHING_KNOWN else 0
        self._rows[word] = len(self._rows)

    def _table(self, rows: int) -> Any:  # Any: an array
        import numpy as np

        return np.zeros((rows, len(self._codes)), dtype=np.float32)


@cache
def _classifier() -> _Classifier:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise UserError("`filter.language` needs py3langid", hint="pip install 'cotdistill[filter]'") from None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    return _Classifier(identifier)
