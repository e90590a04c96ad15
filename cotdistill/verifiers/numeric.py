"""The verifier for answers that are one number: exact comparison with the final answer that the text states."""

from cotdistill.numbers.reading import Number
from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._expression import gold_expression, lone_number
from cotdistill.verifiers._languages import Locale
from cotdistill.verifiers._reading import Reading, is_equal, read_answer


@kind
def numeric(gold: str, answer: str, *, locale: Locale | None = None) -> Verdict:
    """Compare the number that the answer states as final with gold, exactly.

    Where the answer states its result is said in `_extract`, which number of that statement it is in `_reading`;
    neither sees gold. An answer whose finals disagree, or that states none, is `unparsed`.

    Options:
        locale: language of the answers, which decides what `1.234` means; left out, it is guessed for each answer.
            Gold keeps the point as its decimal mark, as data sets write it.
    """
    expected = lone_number(gold_expression(gold) if "\\boxed" in gold else gold)
    if expected is None and (stated := read_answer(gold, "en")) and stated.values:  # `The answer is 18.`
        expected = stated.values[0]
    if expected is None:
        return Verdict(outcome="error", reason=f"gold is not one number: {gold[:40]!r}")
    return judge_number(expected, read_answer(answer, locale))


def judge_number(expected: Number, reading: Reading | None) -> Verdict:
    """Return the verdict on what an answer states, where gold is one number."""
    if reading is None:
        return Verdict(outcome="unparsed", reason="no final number found")
    if not reading.values:
        return Verdict(outcome="unparsed", reason=reading.fault)
    is_correct = any(is_equal(expected, number) for number in reading.values)
    return Verdict(outcome="correct" if is_correct else "wrong", extracted=reading.text, reason=reading.statement.kind)
