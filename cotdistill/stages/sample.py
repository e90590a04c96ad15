"""sample: ask the teacher, store every answer before anything looks at it."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cotdistill.client.concurrency import Concurrency, max_in_flight
from cotdistill.client.costs import Budget, Prices, Spending, dollars
from cotdistill.client.prices import budget_fault
from cotdistill.data.stored_problems import StoredProblems
from cotdistill.errors import RecipeFault, TryAgainLater, UserError
from cotdistill.records import Failure, Problem, Rejected, Sampling, Trace
from cotdistill.registry import NOT_IN_KEY, Options
from cotdistill.samplers import Sampler
from cotdistill.sampling.borrowing import borrow, other_ledgers
from cotdistill.sampling.drawing import draw_missing
from cotdistill.sampling.jobs import SamplingPlan
from cotdistill.sampling.meter import CountedLedger, Meter, spent_in
from cotdistill.sampling.pool import PoolOptions, PoolResult, failure_error, resolve_from_ledger
from cotdistill.stage import Rows, Shard, StageOptions, Workspace, stage
from cotdistill.storage.jsonl import AtomicFile, write_text
from cotdistill.storage.ledger import Ledger
from cotdistill.storage.run_folder import FAILED, LEDGER, LOGPROBS, SPENDING
from cotdistill.verifiers import Verifier

log = logging.getLogger(__name__)


class Until(Options):
    """Top-up sampling: ask again only for problems with too few correct answers."""

    correct: int = Field(1, ge=1)
    """Correct answers that are enough, by the recipe's verifier."""
    max_samples: int = Field(8, ge=1)
    """Completions of one problem after which it is given up."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Until":
        if self.max_samples < self.correct:
            raise ValueError("max_samples must not be less than correct")
        return self


class SampleOptions(StageOptions):
    """How the teacher is asked."""

    samples_per_problem: int = Field(1, ge=1)
    """Completions to draw for each problem. Several rationales per problem are what helps small students
    (Ho et al. 2023)."""
    until: Until | None = None
    """`{correct: 2, max_samples: 8}`: after the first samples, go on for problems that have too few correct ones by the
    recipe's verifier (of `kind: judge`, by its rules alone)."""
    concurrency: Annotated[Concurrency, NOT_IN_KEY] = 30
    """Requests in flight at a time; `auto`: as many as each endpoint bears without HTTP 429, up to 1,000."""
    max_tokens: int | None = Field(8192, ge=1)
    """Longest completion, thinking included, in tokens; null leaves it to the server."""
    on_length: Literal["keep", "drop", "raise_max_tokens"] = "keep"
    """A completion cut off at max_tokens: `keep` it, marked truncated, for the filter to drop; `drop` it here; or
    `raise_max_tokens`: ask again with twice the budget. It is never asked again at the same budget."""
    max_tokens_ceiling: int = Field(32768, ge=1)
    """Largest budget that `raise_max_tokens` tries."""
    temperature: float | None = Field(None, ge=0, le=2)
    """Default: the server's own. DeepSeek's API ignores it."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Default: the server's own. DeepSeek's API ignores it."""
    seed: int | None = None
    """Sent with each request, plus the number of its sample; default: the recipe's seed."""
    stop: tuple[str, ...] | None = Field(None, max_length=16)
    """Texts at which a completion ends."""
    top_logprobs: int | None = Field(None, ge=1, le=20)
    """Alternatives to record with each token, in logprobs.jsonl, for training on the teacher's distribution
    (Fu et al. 2023 use 5)."""
    budget: Annotated[Budget | None, NOT_IN_KEY] = None
    """`{usd: 20, output_tokens: 1000000}`: nothing more is asked once one of them is spent in this run folder, in all
    rounds together; a shard may spend its share."""
    max_failed: Annotated[float, NOT_IN_KEY] = Field(0.1, ge=0, le=1)
    """Share of requests (with `until`, of problems) without an answer at which the stage stops instead of going on
    with fewer rows."""
    drain_timeout_s: Annotated[float, NOT_IN_KEY] = Field(600, ge=0)
    """Longest wait in seconds for requests in flight when the run is stopped."""

    @model_validator(mode="after")
    def _fits_together(self) -> "SampleOptions":
        if self.until is not None and self.until.max_samples < self.samples_per_problem:
            raise ValueError("until.max_samples must not be less than samples_per_problem")
        if self.on_length == "raise_max_tokens" and (
            self.max_tokens is None or self.max_tokens_ceiling <= self.max_tokens
        ):
            raise ValueError("on_length: raise_max_tokens needs a max_tokens below max_tokens_ceiling")
        return self

    def unused(self) -> frozenset[str]:
        """Return the verifier, unless samples are drawn until enough are correct."""
        return frozenset() if self.until else frozenset({"verifier"})

    def needs_gold(self) -> bool:
        """Return whether samples are drawn until enough are correct."""
        return self.until is not None

    def check(self, roles: Mapping[str, Any], *, seed: int) -> None:  # Any: what each role's family says
        """Raise UserError where a budget cannot be counted; warn of options that the server is known to ignore."""
        teacher: Sampler = roles["teacher"]
        if fault := budget_fault(self.budget, teacher.prices, "teacher"):
            raise RecipeFault(fault.message, "sample.budget.usd", fault.hint)
        wanted = self.sampling(seed)
        sent = teacher.effective(wanted)
        ignored = [name for name, value in wanted.model_dump(exclude_none=True).items() if getattr(sent, name) != value]
        if ignored:
            log.warning("ignored by this server, and not sent: %s", ", ".join(ignored))

    def sampling(self, seed: int) -> Sampling:
        """Return what changes the distribution of the answers; `seed` is the recipe's."""
        return Sampling(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=seed if self.seed is None else self.seed,
            stop=self.stop,
            top_logprobs=self.top_logprobs,
        )


@stage(rejects=FAILED, is_incremental=True)
def sample(
    problems: Iterable[Problem],
    options: SampleOptions,
    work: Workspace,
    *,
    teacher: Sampler,
    verifier: Verifier | None = None,
) -> Rows[Trace]:
    """Ask the teacher every problem, and keep every answer."""
    stored = problems if isinstance(problems, StoredProblems) else StoredProblems.of(problems)
    asked = stored if work.shard is None else stored.where(partial(_is_in, work.shard))
    plan = replace(sampling_plan(options, teacher, verifier, seed=work.seed), key=work.key)
    with Ledger(work.folder / (work.shard.file if work.shard else LEDGER)) as ledger:
        missing = plan.make_missing_jobs(asked, ledger)
        borrow(missing, ledger, other_ledgers(work.run, ledger.path), identity=teacher.identity)
        result = _draw(asked, plan, ledger, options, work)
        _check_enough(result, plan, asked, ledger, options)
        if work.shard is None:
            yield from _read_results(asked, plan, ledger, result, options, work)


def _is_in(shard: Shard, problem: Problem) -> bool:
    return shard.holds(problem.id)


def sampling_plan(options: SampleOptions, teacher: Sampler, verifier: Verifier | None, *, seed: int) -> SamplingPlan:
    """Return how these options ask a teacher."""
    until = options.until
    return SamplingPlan(
        teacher=teacher,
        sampling=teacher.effective(options.sampling(seed)),
        samples=options.samples_per_problem,
        drops_truncated=options.on_length == "drop",
        max_tokens_ceiling=options.max_tokens_ceiling if options.on_length == "raise_max_tokens" else None,
        verifier=verifier if until else None,
        correct=until.correct if until else 0,
        max_samples=until.max_samples if until else 0,
    )


def _draw(
    asked: StoredProblems, plan: SamplingPlan, ledger: Ledger, options: SampleOptions, work: Workspace
) -> PoolResult:
    """Ask what is not stored yet, under a live line."""
    teacher, total = plan.teacher, plan.count(asked)
    missing, left = plan.missing(asked, ledger)
    budget = options.budget.share(work.shard.of) if options.budget and work.shard else options.budget
    earlier = [Ledger.snapshot(folder / LEDGER) for folder in work.earlier]
    meter = Meter(total, total - missing, teacher.prices, budget, _paid([ledger, *earlier], teacher.prices, budget))
    if missing:
        _announce(missing, options, teacher.prices)
    unit = "problems" if options.until else "answers"
    pool_options = PoolOptions(
        concurrency=max_in_flight(options.concurrency),
        drain_timeout_s=options.drain_timeout_s,
        has_slow_jobs=options.until is not None,
    )
    return draw_missing(plan, left, ledger, meter, work, title="sampling", unit=unit, options=pool_options)


def _paid(ledgers: Iterable[Ledger], prices: Prices | None, budget: Budget | None) -> Spending:
    """Return what the stored answers cost, those of earlier rounds included; read and counted where someone asks."""
    return Spending() if prices is None and budget is None else spent_in(*ledgers)


def _announce(missing: int, options: SampleOptions, prices: Prices | None) -> None:
    """Log what a budget may be overshot by: what is in flight when it is spent still arrives."""
    if options.budget is None:
        return
    in_flight = min(missing, 1000 if options.concurrency == "auto" else options.concurrency)
    longest = options.max_tokens_ceiling if options.on_length == "raise_max_tokens" else options.max_tokens
    if longest is None:
        log.warning("the budget may be overshot by the %d answers in flight, of any length: set max_tokens", in_flight)
        return
    most = in_flight * longest
    cost = f" ({dollars(most * prices.output / 1e6)})" if prices else ""
    log.info("the budget may be overshot by %d answers in flight: %s tokens%s at most", in_flight, f"{most:,}", cost)


def _check_enough(
    result: PoolResult, plan: SamplingPlan, asked: Sequence[Problem], ledger: Ledger, options: SampleOptions
) -> None:
    """Raise where too many requests have no answer to go on with the rest."""
    total, lost = plan.count(asked), plan.lost(asked, ledger, result.failed)
    if result.over_budget:
        missing = sum(1 for _ in plan.make_missing_jobs(asked, ledger))
        if missing > options.max_failed * total:
            raise TryAgainLater(
                f"the budget is reached: {result.over_budget}; {len(ledger)} answers are stored, "
                f"{missing - lost} of {total} are not asked yet",
                str(ledger.path),
                "raise `sample: {budget: …}`, or `sample: {max_failed: 1}` goes on with what there is",
            )
    elif lost > options.max_failed * total:
        counted = f"{lost} of {total} {'problems' if options.until else 'requests'}"
        raise _too_many_failed(list(result.failed.values()), counted, ledger)


def _too_many_failed(failures: Sequence[Failure], counted: str, ledger: Ledger) -> UserError:
    """Return the error for a stage that lost too much: what passes by itself is worth another try, the rest is not."""
    error, failure = failure_error(failures, answers=len(ledger))
    return error(
        f"{counted} got no answer, one of them: {failure}",
        str(ledger.path),
        "what came is stored and not asked again; `sample: {max_failed: 1}` goes on without the rest",
    )


def _read_results(
    asked: Sequence[Problem],
    plan: SamplingPlan,
    ledger: Ledger,
    result: PoolResult,
    options: SampleOptions,
    work: Workspace,
) -> Iterator[Trace | Rejected]:
    """Yield the traces in the order of the problems; leave spending and log-probabilities beside them."""
    identity, answers = plan.teacher.identity, CountedLedger(ledger)
    rows = (
        row
        for job in plan.make_jobs(asked)
        for row in resolve_from_ledger(job, answers, identity=identity, failed=result.failed)
    )
    if work.round > 1:
        rows = (_of_round(row, work.round) for row in rows)
    if options.top_logprobs is None:
        yield from rows
    else:
        yield from _write_logprobs(rows, ledger, work)
    write_text(work.folder / SPENDING, json.dumps(answers.spent().as_json(plan.teacher.prices), indent=1) + "\n")


def _of_round(row: Trace | Rejected, round: int) -> Trace | Rejected:
    return row.model_copy(update={"round": round}) if isinstance(row, Trace) else row


def _write_logprobs(rows: Iterable[Trace | Rejected], ledger: Ledger, work: Workspace) -> Iterator[Trace | Rejected]:
    """Write the log-probabilities of each trace as the server sent them: `{"key", "index", "content": [...]}`."""
    missing = 0
    with AtomicFile(work.folder / LOGPROBS) as file:
        for row in rows:
            if isinstance(row, Trace):
                completion = row.completion
                choice = ledger.get(completion.key, completion.index).response["choices"][0]
                given = choice.get("logprobs")
                found = given if isinstance(given, dict) else {}
                missing += not found
                line = {"problem_id": row.problem.id, "key": completion.key, "index": completion.index, **found}
                file.write(json.dumps(line) + "\n")
            yield row
    if missing:
        log.warning("%d answers came without log-probabilities: the server does not give them", missing)
