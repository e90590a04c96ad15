"""Graded answers, counted: what stands in a cell of the report."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cotdistill.data.task import cluster_of
from cotdistill.records import CompletionStatus, Equations, Score, Thought, VerdictOutcome
from cotdistill.scoring.attempts import Attempt, maj_at_k, pass_at
from cotdistill.scoring.clustered import Estimate, ProblemResult, estimate_accuracy
from cotdistill.scoring.statistics import Interval


class Answer(NamedTuple):
    """A graded answer without its texts: so small that all of them fit into memory."""

    problem: str
    group: str
    cluster: str
    outcome: VerdictOutcome
    final: str | None
    status: CompletionStatus
    thought: Thought
    tokens: int
    equations: Equations | None
    language: str
    is_clean: bool
    """Whether no training row shares 13 words with the question."""

    @property
    def is_right(self) -> bool:
        """Whether the verifier found it correct."""
        return self.outcome == "correct"


class Tokens(NamedTuple):
    """How long answers are."""

    mean: float
    p95: int
    """95 of 100 answers are no longer."""


class EquationShare(NamedTuple):
    """What the rationales compute."""

    answers: int
    """That state an equation which can be read."""
    all_hold: int
    """Of these, the ones whose every equation holds."""
    stated: int
    held: int

    @property
    def share(self) -> float:
        """Answers whose every equation holds / answers that state any, 0..1."""
        return self.all_hold / self.answers


class Clean(NamedTuple):
    """The answers to questions that no training row shares words with."""

    n: int
    accuracy: float | None
    """None where no question is clean."""


class Language(NamedTuple):
    """What the thinking was written in."""

    known: int
    """Answers of which it can be told."""
    counts: Mapping[str, int]
    """By language, most frequent first."""
    own: float | None
    """Share of the known that think in the question's language; None where groups are no languages."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Graded answers of one task, or of one group of it."""

    n: int
    problems: int
    right: int
    unparsed: int
    """No final answer was found in the text."""
    truncated: int
    """Cut off by the token limit."""
    unclosed: int
    """The thinking was never ended."""
    forced: int
    """The thinking was ended by the think budget."""
    errors: int
    """The verifier itself failed; counted as not right."""
    estimate: Estimate | None
    """None where nothing was asked."""
    tokens: Tokens | None
    """None where they were not counted."""
    maj_at_k: float | None
    """None where every problem was attempted once."""
    pass_at_k: Mapping[int, float]
    """By k; empty where every problem was attempted once."""
    equations: EquationShare | None
    """None where no rationale states one that can be read."""
    language: Language | None
    """None where it was not looked at."""
    clean: Clean
    groups: Mapping[str, "Tally"]
    """In the order of their first answer; empty where there are none."""

    @property
    def accuracy(self) -> float | None:
        """Mean over problems of the share of right answers, 0..1; None where nothing was asked."""
        return self.estimate.accuracy if self.estimate else None

    @property
    def ci95(self) -> Interval | None:
        """Interval of the accuracy; None where nothing was asked."""
        return self.estimate.ci95 if self.estimate else None

    @property
    def mean_tokens(self) -> float | None:
        """Tokens per answer; None where they were not counted."""
        return self.tokens.mean if self.tokens else None

    @property
    def attempts(self) -> int:
        """Answers to a problem, at most; 0 where nothing was asked."""
        return math.ceil(self.n / self.problems) if self.problems else 0

    def share(self, count: int) -> float | None:
        """Return `count` / all answers, 0..1; None where nothing was asked."""
        return count / self.n if self.n else None


def answer_of(score: Score, *, has_clusters: bool) -> Answer:
    """Return what counts of a score; `has_clusters`: whether groups share the questions after their name."""
    problem = score.problem
    return Answer(
        problem=problem.id,
        group=problem.group,
        cluster=cluster_of(problem.id, problem.group) if has_clusters else problem.id,
        outcome=score.verdict.outcome,
        final=score.verdict.extracted,
        status=score.completion.status,
        thought=score.thought,
        tokens=score.completion.usage.completion_tokens,
        equations=score.equations,
        language=score.language,
        is_clean=not score.learned_from,
    )


def results_by_problem(answers: Iterable[Answer]) -> dict[str, ProblemResult]:
    """Return how often each problem was answered right."""
    found: dict[str, ProblemResult] = {}
    for answer in answers:
        right, n, _ = found.get(answer.problem, (0, 0, ""))
        found[answer.problem] = ProblemResult(right + answer.is_right, n + 1, answer.cluster)
    return found


def tally(answers: Sequence[Answer], *, by_group: bool = True) -> Tally:
    """Count answers to one task, and those of each of its groups."""
    outcomes = Counter(answer.outcome for answer in answers)
    statuses = Counter(answer.status for answer in answers)
    thoughts = Counter(answer.thought for answer in answers)
    results = results_by_problem(answers)
    problems = _attempts(answers) if len(results) < len(answers) else []
    return Tally(
        n=len(answers),
        problems=len(results),
        right=outcomes["correct"],
        unparsed=outcomes["unparsed"],
        truncated=statuses["truncated"],
        unclosed=thoughts["unclosed"],
        forced=thoughts["forced"],
        errors=outcomes["error"],
        estimate=estimate_accuracy(list(results.values())),
        tokens=_tokens([answer.tokens for answer in answers]),
        maj_at_k=maj_at_k(problems),
        pass_at_k=pass_at(problems),
        equations=_equations(answers),
        language=_language(answers),
        clean=_clean(answers),
        groups=_groups(answers) if by_group else {},
    )


def _groups(answers: Sequence[Answer]) -> dict[str, Tally]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.group, []).append(answer)
    if set(found) <= {""}:
        return {}
    return {group: tally(members, by_group=False) for group, members in found.items()}


def _attempts(answers: Sequence[Answer]) -> list[list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for answer in answers:
        found.setdefault(answer.problem, []).append(Attempt(answer.is_right, answer.final))
    return list(found.values())


def _tokens(counts: list[int]) -> Tokens | None:
    if not any(counts):
        return None
    return Tokens(sum(counts) / len(counts), sorted(counts)[math.ceil(0.95 * len(counts)) - 1])


def _equations(answers: Sequence[Answer]) -> EquationShare | None:
    found = [answer.equations for answer in answers if answer.equations is not None and answer.equations.stated]
    if not found:
        return None
    all_hold = sum(e.held == e.stated for e in found)
    return EquationShare(len(found), all_hold, sum(e.stated for e in found), sum(e.held for e in found))


def _language(answers: Sequence[Answer]) -> Language | None:
    known = [answer for answer in answers if answer.language]
    if not known:
        return None
    counts = Counter(answer.language for answer in known)
    in_languages = all(len(answer.group) == 2 for answer in known)
    own = sum(answer.language == answer.group for answer in known) / len(known) if in_languages else None
    return Language(len(known), dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))), own)


def _clean(answers: Sequence[Answer]) -> Clean:
    estimate = estimate_accuracy(list(results_by_problem(answer for answer in answers if answer.is_clean).values()))
    return Clean(estimate.n, estimate.accuracy) if estimate else Clean(0, None)
