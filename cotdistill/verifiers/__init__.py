"""Who is right: one module, one verifier.

A verifier is a function `(gold, answer, *, options…) -> Verdict`. `gold` is the final answer alone as the data set
gives it; `answer` is what a model said after its thinking. Extraction never looks at `gold`: it is only compared.
"""

import time
from typing import Protocol

from cotdistill.records import Completion, Problem, Verdict
from cotdistill.verifiers._math_process import calls


class Verifier(Protocol):
    """A verifier with its options bound."""

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def __call__(self, gold: str, answer: str, /) -> Verdict:
        """Return the verdict on one answer; never raises on any text."""
        ...


def verdict_on(verifier: Verifier, problem: Problem, completion: Completion) -> Verdict:
    """Return the verdict on a completion; a problem without a gold answer cannot be judged."""
    if problem.gold is None:
        return Verdict(outcome="error", reason="the problem has no gold answer")
    return verifier(problem.gold, completion.text)


def stated_words(answer: str, extracted: str) -> str:
    """Return the words of an answer in which rules found `extracted`, one statement a line; empty where none do."""
    from cotdistill.verifiers._stated import stated_answer

    return stated_answer(answer, extracted=extracted, limit=len(answer))


def cpu_s() -> float:
    """Return the CPU seconds of this process and of those in which verifiers compare for it."""
    return time.process_time() + calls.spent_s
