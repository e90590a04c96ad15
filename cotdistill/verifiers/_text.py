"""Compares answers that are words: the line that states the final answer, and text without its framing."""

import contextlib
import re
from datetime import datetime

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._expression import COMMAND, bare
from cotdistill.verifiers._extract import statements

_FRAME = " \t\n*_`$\"'“”‘’«»()[]:：-–—"
_STOPS = ".!?。！？।"
_FIRST_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？।]")
_WORDS = re.compile(r"\(?[A-Z]\)?|(?i:no)\.?|(?=.*[^\W\d_]{3})[^\W\d_][^\W_]*(?:[ '’.,-]{1,3}[^\W_]+)*\.?")
_LINK = re.compile(r"\b(?:is|are|was|were|be|becomes|ist|es|est|é|è)\b:?\s|[:=：]\s*|是|为|為")
_REASON = re.compile(
    r"(?:[,;—–]|(?<!\s)(?=\s))\s+(?:because|since)\b|[,;]\s+(?:as|for)\b|\s[—–-]\s|[，,](?:因为|なぜなら)"
)
_YES_OR_NO = re.compile(
    r"(yes|no|true|false|maybe|ja|nein|sí|oui|non|да|нет|ndiyo|hapana|是|否|对|错|はい|いいえ)[,;:.，、。]\s?",
    re.IGNORECASE,
)
_NO_DATE = re.compile(r"[.,]|(?<=\d)(?:st|nd|rd|th)\b|\bof\b", re.IGNORECASE)
_DATES = [form + year for year in ("", " %Y") for form in ("%B %d", "%b %d", "%d %B", "%d %b")]


def final_line(answer: str) -> tuple[str, str] | None:
    """Return the line that states the final answer and how it was found; None where there is none."""
    for statement in statements(answer):
        lines = [line for line in statement.text.splitlines() if cleaned(line, casefold=False)]
        if statement.is_declared and lines:
            return lines[0].strip(), statement.kind
    lines = [line for line in (after_thinking(answer) or "").splitlines() if cleaned(line, casefold=False)]
    return (lines[-1].strip(), "last line") if lines else None


def readings(text: str, *, casefold: bool) -> set[str]:
    """Return what a final line may say, cleaned.

    It and its first sentence say themselves, what they say that something is, and what stands before a reason
    (`Yes, it does`, `Paris, because …`); a date says its day in another order too.
    """
    whole = [sentence for said in (text, bare(text)) for sentence in (said, first_sentence(said))]
    links = (list(_LINK.finditer(part)) for part in whole)
    parts = [*whole, *(part[found[-1].end() :] for part, found in zip(whole, links, strict=True) if found)]
    parts += [part[: reason.start()] for part in parts if (reason := _REASON.search(part))]
    parts += [opening[1] for part in whole if (opening := _YES_OR_NO.match(part.lstrip(_FRAME)))]
    said = {cleaned(part, casefold=casefold) for part in parts} - {""}
    return said | {day_of(part) for part in said}


def day_of(text: str) -> str:
    """Return a date as `2020-06-20` or `06-20`; the text itself where it is none."""
    words = " ".join(_NO_DATE.sub(" ", text).split())
    for form in _DATES if words[-1:].isdigit() or words[:1].isdigit() else ():
        with contextlib.suppress(ValueError):  # of a leap year, for a 29th of February may have none
            day = datetime.strptime(words if "%Y" in form else f"{words} 2000", form if "%Y" in form else f"{form} %Y")
            return day.strftime("%Y-%m-%d" if "%Y" in form else "%m-%d")
    return text


def first_sentence(text: str) -> str:
    """Return the text up to its first full stop."""
    return _FIRST_SENTENCE.split(text, maxsplit=1)[0]


def cleaned(text: str, *, casefold: bool) -> str:
    """Return the text without framing markup and final stop, white space as single blanks."""
    text = " ".join(text.strip(_FRAME + _STOPS).split())
    return text.casefold() if casefold else text


def words_of(text: str) -> str | None:
    r"""Return what a gold answer says if it is words (`\text{Evelyn}`, `(C)`); None for an expression."""
    words = bare(text)
    return cleaned(words, casefold=True) if _WORDS.fullmatch(words) and not COMMAND.search(words) else None
