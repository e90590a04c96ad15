"""The verifier for answers that are one number: exact comparison with the final answer that the text states."""

from collections.abc import Iterator, Sequence

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._extract import Statement, statements
from cotdistill.verifiers._final import Final, final_of
from cotdistill.verifiers._locale import Locale, decimal_mark
from cotdistill.verifiers._notation import plain
from cotdistill.verifiers._numbers import Number


@kind
def numeric(gold: str, answer: str, *, locale: Locale | None = None) -> Verdict:
    """Compare the number that the answer states as final with gold, exactly.

    Where the answer states its result is said in `_extract`, which number of that statement it is in `_final`;
    neither sees gold. An answer whose finals disagree, or that states none, is `unparsed`.

    Options:
        locale: language of the answers, which decides what `1.234` means; left out, it is guessed for each answer.
            Gold keeps the point as its decimal mark, as data sets write it.
    """
    expected = read_gold(gold)
    if expected is None:
        return Verdict(outcome="error", reason=f"gold is not one number: {gold[:40]!r}")
    found = final_number(answer, locale)
    if isinstance(found, str):
        return Verdict(outcome="unparsed", reason=found)
    statement, final = found
    is_correct = any(is_equal(expected, number) for number in final.values)
    return Verdict(outcome="correct" if is_correct else "wrong", extracted=final.text, reason=statement.kind)


def read_gold(gold: str) -> Number | None:
    """Return the one number of a gold answer, after `####` where it has one; None where that is not clear."""
    gold = gold.rpartition("####")[2].strip()
    final = final_of(plain(gold), ".")
    return final.values[0] if final and final.values and not final.rivals else None


def final_number(answer: str, locale: Locale | None = None) -> tuple[Statement, Final] | str:
    """Return the statement that decides and its number, or why there is none."""
    readable = _readable(answer, locale)
    best = next(readable, None)
    if best is None:
        return "no final number found"
    statement, final = best
    if final.rivals:
        return _disagree(final.rivals)
    if not final.values:
        return f"final is no number: {final.text[:20]}"
    while statement.is_declared and not statement.is_afresh:
        earlier = next(readable, None)
        if earlier is None or earlier[0].kind != best[0].kind or not earlier[1].values:
            break
        statement, other = earlier
        if other.values[0].value not in [number.value for number in final.values]:
            return _disagree((other.text, final.text))
    return best


def is_equal(gold: Number, number: Number) -> bool:
    """Return whether two numbers are the same; a percentage also equals its hundredth unless both are percentages."""
    if gold.value is None or number.value is None:
        return False
    if gold.value == number.value:
        return True
    if gold.is_percent == number.is_percent:
        return False
    return gold.value == number.value * 100 if gold.is_percent else gold.value * 100 == number.value


def _readable(answer: str, locale: Locale | None) -> Iterator[tuple[Statement, Final]]:
    """Yield the statements with a number; one that only implies its result must have a value."""
    for statement in statements(answer):
        text = plain(statement.text)
        final = final_of(text, decimal_mark(text, answer, locale))
        if final and (final.values or statement.is_declared):
            yield statement, final


def _disagree(texts: Sequence[str]) -> str:
    return "finals disagree: " + ", ".join(text[:20] for text in texts[-4:])
