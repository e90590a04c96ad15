"""The verifier for answers that are words: equality with the final answer after cleaning both."""

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._expression import bare
from cotdistill.verifiers._text import cleaned, day_of, final_line, readings


@kind
def exact(gold: str, answer: str, *, casefold: bool = True) -> Verdict:
    """Compare the final answer with gold as text.

    The final answer is what the answer declares (`\\boxed{…}`, `####`, `Answer: …`), else its last line; of a sentence
    also what follows its last `is` and what stands before a reason (`Yes, because …`). Dates are read in any order;
    markup, quotes, the full stop and repeated white space are no difference.

    Options:
        casefold: whether `Paris` equals `PARIS`; true, since capitals of an answer seldom carry meaning.
    """
    expected = cleaned(gold.rpartition("####")[2], casefold=casefold)
    if not expected:
        return Verdict(outcome="error", reason="gold is empty")
    found = final_line(answer)
    if found is None:
        return Verdict(outcome="unparsed", reason="no final answer found")
    text, reason = found
    said = readings(text, casefold=casefold)
    is_correct = expected in said or day_of(expected) in said
    return Verdict(outcome="correct" if is_correct else "wrong", extracted=bare(text), reason=reason)
