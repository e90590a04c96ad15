"""The verifier for multiple choice: the letter that the answer chooses, or its option's text."""

import re
import unicodedata
from typing import Annotated, NamedTuple

from pydantic import Field

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._choices import LETTERS, chosen
from cotdistill.verifiers._expression import bare
from cotdistill.verifiers._text import cleaned, final_line, first_sentence, readings

_GOLD = re.compile(r"[(\[]?(?P<letter>[A-Ja-j])[)\].:]*(?:(?<=[)\].:])\s+(?P<text>\S.*))?")
_OWN_TEXT = re.compile(r"[A-Ja-j][)\].:*]+\s*(?P<text>[^\n]+)")


class Option(NamedTuple):
    """The right option."""

    letter: str
    texts: dict[str, str]
    """What the options say, by letter, as far as it is known."""


@kind
def choice(
    gold: str, answer: str, *, texts: Annotated[tuple[str, ...], Field(max_length=len(LETTERS))] = ()
) -> Verdict:
    """Compare the option that the answer chooses with gold: a letter from A to J, or the option's text.

    Gold is a letter, as `C`, `(C)` or `\\boxed{C}`; `C) Paris` and `C. Paris` give its text too. Where the letter is
    looked for is said in `_choices`. An answer that chooses no option, or several, is `unparsed`.

    Options:
        texts: texts of the options A, B, C …, for a set whose questions all have the same (`[yes, no, maybe]`);
            gold may then be a text.
    """
    right = read_option(gold, texts)
    if right is None:
        return Verdict(outcome="error", reason=f"gold is not an option's letter from A to J: {gold[:40]!r}")
    found = chosen(answer)
    if found is None:
        return _judge_text(right, answer)
    letter = found.letters[0]
    if len(found.letters) > 1:
        return Verdict(outcome="unparsed", reason=f"finals disagree: {', '.join(found.letters)}")
    if own := _OWN_TEXT.match(found.text):  # `B) Paris` where Paris is C
        said = {cleaned(part, casefold=True) for part in (own["text"], first_sentence(own["text"]))}
        if others := [other for other, text in right.texts.items() if text in said and other != letter]:
            reason = f"the letter is {letter}, the text that of {others[0]}"
            return Verdict(outcome="unparsed", extracted=letter, reason=reason)
    return Verdict(outcome="correct" if letter == right.letter else "wrong", extracted=letter, reason=found.kind)


def read_option(gold: str, texts: tuple[str, ...] = ()) -> Option | None:
    """Return the option that a gold answer names; None where it names none."""
    plain = unicodedata.normalize("NFKC", bare(gold).strip(" *"))
    known = dict(zip(LETTERS, (cleaned(text, casefold=True) for text in texts), strict=False))
    if match := _GOLD.fullmatch(plain):
        letter = match["letter"].upper()
        own = {letter: cleaned(match["text"], casefold=True)} if match["text"] else {}
        return Option(letter, known | own)
    text = cleaned(plain, casefold=True)
    return next((Option(letter, known) for letter, other in known.items() if other == text), None)


def _judge_text(right: Option, answer: str) -> Verdict:
    """Return the verdict on an answer that names no letter: by the option's text, where it is known."""
    line = final_line(answer)
    said = readings(line[0], casefold=True) if line else set()
    letters = [letter for letter, text in right.texts.items() if text in said]
    if line is None or not letters:
        return Verdict(outcome="unparsed", reason="no option is chosen")
    if right.letter in letters:
        return Verdict(outcome="correct", extracted=line[0], reason=f"{line[1]}: the option's text")
    return Verdict(outcome="wrong", extracted=line[0], reason=f"{line[1]}: another option's text")
