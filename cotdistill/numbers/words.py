"""Numbers written as words: English, with fractions and dozens, and Chinese numerals.

Those of other languages come from text2num, where it is installed (extra `math`).

`twenty-five`  `two and a half`  `three-fifths`  `a dozen`  `two million`  `十八`  `四分之三`  `百分之五十`  `三点五`
"""

import importlib.util
import re
import unicodedata
from collections.abc import Collection
from fractions import Fraction

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "third quarter fifth sixth seventh eighth ninth tenth eleventh twelfth"
_SMALL = {word: value for value, word in enumerate(_ONES.split())}
_SMALL |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "dozen": 12}
_PARTS = {word: Fraction(1, value) for value, word in enumerate(_ORDINALS.split(), start=3)}
_PARTS |= {f"{word}s": part for word, part in _PARTS.items()} | {"half": Fraction(1, 2), "halves": Fraction(1, 2)}
_WORD = "(?:" + "|".join(sorted([*_SMALL, *_SCALES, *_PARTS], key=len, reverse=True)) + ")"
_TENTHS = rf"(?!(?:{'|'.join(set(_PARTS) - {'half'})})\b)"
"""No run starts with a part, for `third` alone is an ordinal: `a third` and `one third` are numbers."""
_EN_NUMBER = (
    rf"\b(?:an? |{_TENTHS}(?={_WORD})){_WORD}"
    rf"(?:(?:-| and an? | and | an? (?=dozen|{'|'.join(_PARTS)})| )?{_WORD}){{0,9}}\b"
)
PLACES = "十百千万萬亿億兆"
_HAN = f"[零〇一二两兩三四五六七八九{PLACES}]"
_HAN_NUMBER = rf"(?:{_HAN}{{1,16}}分之)?(?!一[共些样樣起定般旦切直天]){_HAN}{{1,20}}(?:[点點]{_HAN}{{1,12}})?"
WORD_NUMBER = re.compile(rf"{_EN_NUMBER}|{_HAN_NUMBER}")
"""A run of number words; matched against lower-case text."""
_TOKEN = re.compile(_WORD)
_HAN_DIGITS = str.maketrans("零〇一二两兩三四五六七八九点點", "0012223456789..", ",")
_HAN_TOKEN = re.compile(rf"[\d.]+|[{PLACES}]")
_ORDINAL = re.compile(r"\d[^\W\d]")
_HAS_TEXT2NUM = importlib.util.find_spec("text_to_num") is not None


def with_digits(text: str, codes: Collection[str]) -> str:
    """Return a text with digits for the number words of the languages that it may be in; English and Chinese stay."""
    if _HAS_TEXT2NUM:
        from text_to_num import alpha2digit

        for code in ("de", "es", "fr", "it", "pt"):
            read = str(alpha2digit(text, code, threshold=2)) if code in codes else text  # below 2: an article
            if read != text and not _ORDINAL.search(read) and read.count(".") <= text.count("."):
                return read
    return text


def word_value(words: str) -> Fraction | None:
    """Return the value of a run of number words; None where they make no number (`two five`)."""
    if not words.isascii():
        return _han_value(words)
    total, group, last = Fraction(0), Fraction(0), 10**10
    tokens = _TOKEN.findall(words)
    if tokens == ["half", "dozen"]:
        return Fraction(6)
    for token in tokens:
        if token in _SCALES:
            scale = _SCALES[token]
            group = max(group, Fraction(1)) * scale
            total, group = (total + group, Fraction(0)) if scale >= 1000 else (total, group)
            last = scale if scale != 12 else 0
        elif token in _PARTS:
            if tokens[-1] != token or 20 <= last < 100:  # `twenty-fifth` is an ordinal
                return None
            is_sum = " and " in words or len(tokens) == 1
            return total + group + _PARTS[token] if is_sum else (total + group) * _PARTS[token]
        else:
            value = _SMALL[token]
            if value >= last or last < 20 or (last < 100 and value >= 10):
                return None
            group += value
            last = value
    return total + group


def _han_value(text: str) -> Fraction | None:
    """Return the value of Chinese numerals, with or without digits: `四分之三`, `三点五`, `二〇二四`, `7万5千`."""
    bottom, parted, top = text.rpartition("分之")
    if parted:
        parts, whole = _han_value(bottom), _han_value(top)
        return whole / parts if parts and whole is not None else None
    total = section = digit = Fraction(0)
    for token in _HAN_TOKEN.findall(text.translate(_HAN_DIGITS)):
        place = int(unicodedata.numeric(token)) if token in PLACES else 0
        if place >= 10**4:
            part = section + digit
            total = total + part * place if total >= place else (total + part) * place  # `3億5000万`, `一万亿`
            section = digit = Fraction(0)
        elif place:
            section, digit = section + (digit or 1) * place, Fraction(0)
        else:
            digit = Fraction(token)
    return total + section + digit
