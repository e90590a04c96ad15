"""Answers that most attempts at a problem do not give, for problems without gold answers.

Self-consistency (Wang et al. 2023, arXiv 2203.11171): ways to the right answer meet, mistakes seldom do.
"""

import re
from collections import Counter
from collections.abc import Sequence

from cotdistill.filters import Reason
from cotdistill.filters.golds import canonical
from cotdistill.records import Trace

NUMBER = re.compile(r"(?<!\d)-?\d+(?:[.,]\d+)*")
LEAST_VOTES = 2
"""One attempt alone agrees with nobody."""


def final_answer(trace: Trace) -> str:
    """Return what the verifier found; where it had no gold answer to look for, the last number or the last line."""
    if trace.verdict is not None and trace.verdict.extracted is not None:
        return trace.verdict.extracted
    text = trace.completion.text.strip()
    return numbers[-1] if (numbers := NUMBER.findall(text)) else text.rpartition("\n")[2].casefold()


def reasons_against_minority(traces: Sequence[Trace], *, trusts_gold: bool) -> list[Reason | None]:
    """Return for each trace of one problem why it is not what most say; None for what is.

    No answer stays where none has two votes, or where several lead. With `trusts_gold` none is asked to vote whose
    problem has a gold answer.
    """
    is_known = [trusts_gold and trace.problem.gold is not None for trace in traces]
    finals = ["" if known else canonical(final_answer(t)) or "" for t, known in zip(traces, is_known, strict=True)]
    votes = Counter(filter(None, finals))
    winner = _winner(votes)
    said = "no answer leads" if winner is None else f"most say {winner}"
    return [
        None if known or (final and final == winner)
        else Reason("minority", f"{votes[final]} of {len(traces)} attempts say {final or 'nothing'}, {said}")
        for final, known in zip(finals, is_known, strict=True)
    ]  # fmt: skip


def _winner(votes: Counter[str]) -> str | None:
    most = max(votes.values(), default=0)
    leading = [final for final, count in votes.items() if count == most]
    return leading[0] if len(leading) == 1 and most >= LEAST_VOTES else None
