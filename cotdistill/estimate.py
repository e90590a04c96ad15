"""What sampling will cost, before it is paid: from answers that are stored, else an upper bound.

A pilot pays for some problems of the run itself: their answers are stored and not asked again.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cotdistill.ledger import stored_entries
from cotdistill.plan import Step
from cotdistill.records import Problem
from cotdistill.samplers import Sampler
from cotdistill.spending import Spending, dollars
from cotdistill.stages.sample import LEDGER, SampleOptions


class Estimate(NamedTuple):
    """Tokens and cost of a whole sample step, what is stored already included."""

    folder: str
    problems: int
    pilot: int
    """Problems with stored answers that it is drawn from; 0: the tokens are upper bounds."""
    requests: int
    input_tokens: int
    output_tokens: int | None
    """None: neither an answer is stored nor is there a max_tokens."""
    error: float
    """Half of the 95 % interval of the output tokens, as a share; 0 for an upper bound."""
    usd: float | None
    """None where prices are not known."""

    def __str__(self) -> str:
        """Return the estimate as a line for people."""
        if self.output_tokens is None:
            return f"{self.folder}: {self.requests:,} requests; set max_tokens, or use --pilot N, to know what it costs"
        how = "about" if self.pilot else "at most"
        cost = "" if self.usd is None else f", {how} {dollars(self.usd)}"
        basis = (
            f"from {self.pilot} problems, ±{self.error:.0%}"
            if self.pilot
            else "--pilot N asks N problems to know better"
        )
        return (
            f"{self.folder}: {self.requests:,} requests, about {self.input_tokens:,} input tokens, "
            f"{how} {self.output_tokens:,} output tokens{cost} ({basis})"
        )


def estimate(step: Step, problems: Sequence[Problem], folder: Path) -> Estimate:
    """Return what a sample step costs as a whole; `folder` is its own."""
    assert step.recipe.teacher is not None
    teacher: Sampler = step.recipe.teacher.build()
    options: SampleOptions = step.options  # type: ignore[assignment]
    known = {problem.id for problem in problems}
    paid: dict[str, Spending] = defaultdict(Spending)
    for entry in stored_entries(folder / LEDGER):
        if entry.problem_id in known:
            paid[entry.problem_id].add(entry.response)
    if paid:
        return _from_answers(step, teacher, problems, list(paid.values()))
    per_problem = options.until.max_samples if options.until else options.samples_per_problem
    requests = len(problems) * per_problem
    calls = 1 if teacher.is_one_call else 2
    longest = options.max_tokens_ceiling if options.on_length == "raise_max_tokens" else options.max_tokens
    prompts = sum(_tokens(m.content) for p in problems for m in teacher.messages(p))
    most = Spending(
        input_tokens=prompts * per_problem, output_tokens=0 if longest is None else requests * calls * longest
    )
    return Estimate(
        step.folder,
        len(problems),
        0,
        requests * calls,
        most.input_tokens,
        None if longest is None else most.output_tokens,
        0.0,
        None if teacher.prices is None or longest is None else most.usd(teacher.prices),
    )


def _from_answers(step: Step, teacher: Sampler, problems: Sequence[Problem], paid: Sequence[Spending]) -> Estimate:
    """Return the mean of the problems that were asked, times all problems."""
    n, total = len(paid), len(problems)
    scale = total / n
    output = [s.output_tokens for s in paid]
    mean = sum(output) / n
    spread = math.sqrt(sum((o - mean) ** 2 for o in output) / (n - 1)) if n > 1 else mean
    # Problems that are asked already are no guess any more (finite population correction).
    error = 1.96 * spread / math.sqrt(n) * math.sqrt(max(0.0, 1 - n / total)) / mean if mean else 0.0
    usd = None if teacher.prices is None else sum(s.usd(teacher.prices) for s in paid) * scale
    return Estimate(
        step.folder,
        total,
        n,
        round(sum(s.answers for s in paid) * scale),
        round(sum(s.input_tokens for s in paid) * scale),
        round(sum(output) * scale),
        error,
        usd,
    )


def _tokens(text: str) -> int:
    """Return about how many tokens a text has: four ASCII characters or one and a half others each."""
    ascii_chars = sum(c < "\x80" for c in text)
    return math.ceil(ascii_chars / 4 + (len(text) - ascii_chars) / 1.5)
