"""The verifier for multiple choice: the letter that the answer chooses, or its option's text."""

import re
from typing import Annotated, NamedTuple

from pydantic import Field

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._choices import LETTERS, Choice, chosen
from cotdistill.verifiers._expression import stripped, unwrapped
from cotdistill.verifiers._text import cleaned, final_line, first_sentence, readings


class Option(NamedTuple):
    """The right option."""

    letter: str
    text: str
    """Empty where it is not known."""


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
        return _judge_text(right, answer, texts)
    if len(found.letters) > 1:
        return Verdict(outcome="unparsed", reason=f"finals disagree: {', '.join(found.letters)}")
    outcome = "correct" if found.letters[0] == right.letter else "wrong"
    if contradiction := _contradiction(found, right, texts):
        return Verdict(outcome="unparsed", extracted=found.letters[0], reason=contradiction)
    return Verdict.model_validate({"outcome": outcome, "extracted": found.letters[0], "reason": found.kind})


_GOLD = re.compile(r"[(\[]?(?P<letter>[A-Ja-jＡ-Ｊ])[)\].:：]*(?:(?<=[)\].:：])\s+(?P<text>\S.*))?")


def read_option(gold: str, texts: tuple[str, ...] = ()) -> Option | None:
    """Return the option that a gold answer names; None where it names none."""
    plain = unwrapped(stripped(gold)).strip(" *")
    known = [cleaned(text, casefold=True) for text in texts]
    if (match := _GOLD.fullmatch(plain)) is not None:
        letter = match["letter"].upper() if match["letter"].isascii() else LETTERS[ord(match["letter"]) - 0xFF21]
        index = LETTERS.index(letter)
        text = cleaned(match["text"] or "", casefold=True) or (known[index] if index < len(known) else "")
        return Option(letter, text)
    text = cleaned(plain, casefold=True)
    return Option(LETTERS[known.index(text)], text) if text in known else None


def _judge_text(right: Option, answer: str, texts: tuple[str, ...]) -> Verdict:
    """Return the verdict on an answer that names no letter: by the option's text, where it is known."""
    line = final_line(answer)
    if line is None or not (right.text or texts):
        return Verdict(outcome="unparsed", reason="no option is chosen")
    said = readings(line[0], casefold=True) | readings(unwrapped(stripped(line[0])), casefold=True)
    if right.text in said:
        return Verdict(outcome="correct", extracted=line[0], reason=f"{line[1]}: the option's text")
    if any(cleaned(text, casefold=True) in said for text in texts):
        return Verdict(outcome="wrong", extracted=line[0], reason=f"{line[1]}: another option's text")
    return Verdict(outcome="unparsed", reason="no option is chosen")


_OWN_TEXT = re.compile(r"[A-Ja-j][)\].:*]+\s*(?P<text>[^\n]+)")


def _contradiction(found: Choice, right: Option, texts: tuple[str, ...]) -> str:
    """Return why letter and text name two options (`B) Paris` where Paris is C); empty where they do not."""
    own = _OWN_TEXT.match(found.text)
    if own is None:
        return ""
    said = {cleaned(part, casefold=True) for part in (own["text"], first_sentence(own["text"]))}
    known = dict(zip(LETTERS, (cleaned(text, casefold=True) for text in texts), strict=False))
    if right.text:
        known[right.letter] = right.text
    others = [letter for letter, text in known.items() if text in said and letter != found.letters[0]]
    return f"the letter is {found.letters[0]}, the text that of {others[0]}" if others else ""
