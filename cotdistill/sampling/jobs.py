"""What the teacher is asked for one problem, as jobs: one completion, a longer one, a second call, one more sample.

A job yields requests and receives stored answers (see `sampling/pool`), so that the same code asks the teacher,
goes on after an interruption, and reads the result from the ledger.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cotdistill.data.stored_problems import StoredProblems
from cotdistill.engines.local import LocalEngine
from cotdistill.engines.rows import map_rows
from cotdistill.records import Completion, Failure, Message, Problem, Rejected, Sampling, Trace, Usage
from cotdistill.samplers import Request, Sampler, Unanswered
from cotdistill.sampling.completions import read_completion
from cotdistill.sampling.pool import Job, resolve_from_ledger, stored_answers
from cotdistill.storage.keys import completion_key, key_of
from cotdistill.storage.ledger import Ledger
from cotdistill.storage.ledger_index import entry_name, nth_name
from cotdistill.verifiers import Verifier, verdict_on

Result = list[Trace | Rejected]


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """How a teacher is asked about a problem."""

    teacher: Sampler
    sampling: Sampling
    samples: int
    """Completions per problem."""
    drops_truncated: bool = False
    max_tokens_ceiling: int | None = None
    """A truncated completion is asked again with twice its budget, up to this many tokens; None: never."""
    verifier: Verifier | None = None
    """Judges while sampling, where more samples are drawn until enough are correct."""
    correct: int = 0
    max_samples: int = 0
    key: str = ""
    """What tells the prompts from others; empty: what is found out about them is not kept."""

    def make_jobs(self, problems: Sequence[Problem]) -> Iterator[Job[Result]]:
        """Yield the jobs of all problems, in order: one per sample, or one per problem where samples depend."""
        for problem in problems:
            if self.verifier is not None:
                yield self._until_correct(problem, self.verifier)
            else:
                for index in range(self.samples):
                    yield self._attempt(problem, index)

    def make_missing_jobs(self, problems: Sequence[Problem], ledger: Ledger) -> Iterator[Job[Result]]:
        """Yield the jobs that need an answer which is not stored."""
        identity = self.teacher.identity
        for problem in problems:
            if self.verifier is not None:
                if stored_answers(self._until_correct(problem, self.verifier), ledger, identity=identity) is None:
                    yield self._until_correct(problem, self.verifier)
                continue
            key = completion_key(identity, self.teacher.messages(problem), self.sampling)
            for index in range(self.samples):
                if self._lacks(problem, key, index, ledger):
                    yield self._attempt(problem, index)

    def missing(self, problems: StoredProblems, ledger: Ledger) -> tuple[int, StoredProblems]:
        """Return how many jobs need an answer that is not stored, and the problems that have such jobs."""
        count, places = 0, array("Q")
        for place, found in enumerate(self._count_missing(problems, ledger)):
            count += found
            if found:
                places.append(place)
        return count, problems.at(places)

    def count(self, problems: Sequence[Problem]) -> int:
        """Return how many jobs there are."""
        return len(problems) * (1 if self.verifier is not None else self.samples)

    def lost(self, problems: Sequence[Problem], ledger: Ledger, failed: Mapping[tuple[str, int], Failure]) -> int:
        """Return how many samples got no answer for good; of problems that are asked until correct, how many got none.

        `failed` is by request key and sample index.
        """
        if self.verifier is None or not failed:
            return len(failed)
        identity = self.teacher.identity
        results = (
            resolve_from_ledger(job, ledger, identity=identity, failed=dict(failed)) for job in self.make_jobs(problems)
        )
        return sum(all(isinstance(row, Rejected) and row.kind != "unasked" for row in rows) for rows in results)

    def _count_missing(self, problems: StoredProblems, ledger: Ledger) -> Iterator[int]:
        """Yield of each problem how many of its jobs need an answer that is not stored."""
        if self.verifier is not None or not self._is_one_request:
            for problem in problems:
                yield sum(1 for _ in self.make_missing_jobs((problem,), ledger))
            return
        for name in self._first_names(problems):
            yield sum(not ledger.has(nth_name(name, index)) for index in range(self.samples))

    def _first_names(self, problems: StoredProblems) -> Iterable[int]:
        """Return of each problem the name of its first request in a ledger."""
        # Of a large set it is half of what another start would wait for, though all cores take part.
        names = partial(map_rows, LocalEngine(), partial(_namer, self.teacher, self.sampling), problems)
        if not self.key:
            return names()
        said = key_of([self.key, self.teacher.identity, self.sampling.model_dump(mode="json")])
        return problems.number_each(f"requests {said}", lambda: array("Q", names()))

    def _lacks(self, problem: Problem, key: str, index: int, ledger: Ledger) -> bool:
        """Return whether a sample needs an answer that is not stored; `key` is that of its first request."""
        if (key, index) not in ledger:
            return True
        if self._is_one_request:
            return False
        return stored_answers(self._attempt(problem, index), ledger, identity=self.teacher.identity) is None

    @property
    def _is_one_request(self) -> bool:
        """Whether a sample is done with its first answer, whatever that says."""
        return self.teacher.is_one_call and self.max_tokens_ceiling is None

    def _until_correct(self, problem: Problem, verifier: Verifier) -> Job[Result]:
        rows: Result = []
        correct = 0
        for index in range(self.max_samples):
            if index >= self.samples and correct >= self.correct:
                break
            rows += yield from self._attempt(problem, index)
            last = rows[-1]
            if isinstance(last, Trace) and last.completion.status == "ok":
                correct += verdict_on(verifier, problem, last.completion).outcome == "correct"
        return rows

    def _attempt(self, problem: Problem, index: int) -> Job[Result]:
        """Return the trace of one sample, or the problem with the reason why there is none."""
        try:
            first = yield from self._whole(problem, self.teacher.messages(problem), index)
            asked = self.teacher.follow_up(problem, first)
            completion = first if asked is None else _joined(first, (yield from self._whole(problem, asked, index)))
        except Unanswered as error:
            return [Rejected(kind=error.failure.kind, reason=error.failure.reason, row=problem)]
        trace = Trace(problem=problem, completion=completion.model_copy(update={"is_hinted": self.teacher.shows_gold}))
        if self.drops_truncated and completion.status == "truncated":
            tokens = completion.usage.completion_tokens
            return [Rejected(kind="truncated", reason=f"cut off after {tokens} tokens", row=trace)]
        return [trace]

    def _whole(self, problem: Problem, messages: tuple[Message, ...], index: int) -> Job[Completion]:
        """Return the completion of one prompt; a truncated one is never asked again at the same budget."""
        sampling = self.sampling
        while True:
            completion = read_completion((yield Request(problem, messages, sampling, index)))
            budget, ceiling = sampling.max_tokens, self.max_tokens_ceiling
            if completion.status != "truncated" or budget is None or ceiling is None or budget >= ceiling:
                return completion
            sampling = sampling.model_copy(update={"max_tokens": min(2 * budget, ceiling)})


def _namer(teacher: Sampler, sampling: Sampling) -> Callable[[Problem], int]:
    return lambda problem: entry_name(completion_key(teacher.identity, teacher.messages(problem), sampling), 0)


def _joined(first: Completion, second: Completion) -> Completion:
    """Return the completion of two calls: the first reasoned, the second gave the answer."""
    reasoning = "\n\n".join(part for part in (first.reasoning, first.text) if part)
    return second.model_copy(
        update={
            "reasoning": reasoning,
            "usage": Usage(
                prompt_tokens=first.usage.prompt_tokens + second.usage.prompt_tokens,
                completion_tokens=first.usage.completion_tokens + second.usage.completion_tokens,
            ),
            "latency_s": first.latency_s + second.latency_s,
            "attempts": first.attempts + second.attempts,
            "attempt_errors": (*first.attempt_errors, *second.attempt_errors),
        }
    )
