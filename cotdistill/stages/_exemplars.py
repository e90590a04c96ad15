"""Worked examples for few-shot prompts: drawn by seed from the set itself, never a rationale of the same problem."""

import functools
import random
from dataclasses import dataclass

from cotdistill.errors import UserError
from cotdistill.records import Problem, Trace
from cotdistill.storage.keys import draw
from cotdistill.styles import Style

POOL = 512
"""Problems that examples are drawn from: enough that few rows share them, few enough to hold in memory."""


class Pool:
    """The traces that examples may be drawn from: one of each problem, those with the smallest hashes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._found: dict[str, tuple[bytes, Trace]] = {}

    def offer(self, trace: Trace) -> None:
        """Consider a trace; a set that grows keeps most of its examples, as ranks do not depend on other rows."""
        name = trace.problem.id
        if name in self._found:
            return
        self._found[name] = (draw(self.seed, name), trace)
        if len(self._found) > 2 * POOL:
            self._found = dict(sorted(self._found.items(), key=lambda item: item[1][0])[:POOL])

    def traces(self) -> tuple[Trace, ...]:
        """Return the traces in the order of their hashes."""
        return tuple(trace for _, trace in sorted(self._found.values(), key=lambda found: found[0])[:POOL])


@dataclass(frozen=True)
class Exemplars:
    """The examples that one style can show."""

    traces: tuple[Trace, ...]
    seed: int
    count: int
    """Examples before each question."""

    @classmethod
    def of(cls, pool: Pool, style: Style, count: int, *, key: str = "convert: shots") -> "Exemplars":
        """Return the examples of a pool that the style can write; `key` is what asks for them, for the fault.

        Raises: UserError where they are too few.
        """
        usable = tuple(trace for trace in pool.traces() if style.answer(trace).strip()) if count else ()
        if count and len(usable) <= count:
            raise UserError(
                f"{count} examples before a question need rationales of {count + 1} problems; there are {len(usable)}",
                key,
                "lower `shots:`, or keep more traces",
            )
        return cls(usable, pool.seed, count)

    def draw(self, trace: Trace) -> tuple[Trace, ...]:
        """Return the examples for a trace, the same at every call."""
        if not self.count:
            return ()
        drawn = random.Random(f"{self.seed} {trace.problem.id} {trace.completion.index}")
        chosen = drawn.sample(self.traces, self.count + 1)
        return tuple(shot for shot in chosen if shot.problem.id != trace.problem.id)[: self.count]

    def draw_for(self, problem: Problem) -> tuple[Trace, ...]:
        """Return the examples for a question that may come from another set: none that asks the same in other spaces.

        The same at every call and for every sample; fewer than `count` where most of the pool asks the same.
        """
        if not self.count:
            return ()
        asked, name = _words(problem), problem.id
        others = [shot for shot, words in self._with_words if shot.problem.id != name and words != asked]
        return tuple(random.Random(f"{self.seed} {name}").sample(others, min(self.count, len(others))))

    @functools.cached_property
    def _with_words(self) -> list[tuple[Trace, list[str]]]:
        return [(shot, _words(shot.problem)) for shot in self.traces]


def _words(problem: Problem) -> list[str]:
    return problem.question.casefold().split()
