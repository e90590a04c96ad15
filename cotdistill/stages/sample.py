"""sample: ask the teacher, store every answer before anything looks at it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.ledger import Ledger
from cotdistill.records import Problem, Rejected, Sampling, Trace
from cotdistill.registry import OPERATIONAL, Options
from cotdistill.samplers import Request, Sampler
from cotdistill.samplers._draw import draw_all, request_key
from cotdistill.stage import Rows, Workspace, stage
from cotdistill.thinking import read_completion

LEDGER = "completions.jsonl"


class SampleOptions(Options):
    """How the teacher is asked."""

    samples_per_problem: int = Field(1, ge=1)
    """Completions to draw for each problem. Several rationales per problem are what helps small students
    (Ho et al. 2023)."""
    concurrency: Annotated[int, OPERATIONAL] = Field(30, ge=1, le=4096)
    """Requests in flight at a time."""
    max_tokens: int | None = Field(8192, ge=1)
    """Longest completion, thinking included, in tokens; null leaves it to the server."""
    temperature: float | None = Field(None, ge=0, le=2)
    """Default: the server's own. DeepSeek's API ignores it."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Default: the server's own. DeepSeek's API ignores it."""
    max_failed: Annotated[float, OPERATIONAL] = Field(0.1, ge=0, le=1)
    """Share of requests without an answer at which the stage stops instead of going on with fewer rows."""


@stage(1, rejects="failed.jsonl", is_incremental=True)
def sample(problems: Iterable[Problem], options: SampleOptions, work: Workspace, *, teacher: Sampler) -> Rows[Trace]:
    """Ask the teacher every problem, and keep every answer."""
    asked = list(problems)
    sampling = Sampling(
        max_tokens=options.max_tokens, temperature=options.temperature, top_p=options.top_p, seed=work.seed
    )
    total = len(asked) * options.samples_per_problem
    with Ledger(work.folder / LEDGER) as ledger:
        requests = _requests(asked, teacher, sampling, options.samples_per_problem)
        stored = sum((request_key(r, teacher.identity), r.index) in ledger for r in requests)
        with work.progress("sampling", total=total, unit="answers") as advance:
            advance(stored)
            drawing = draw_all(
                teacher,
                _requests(asked, teacher, sampling, options.samples_per_problem),
                ledger,
                identity=teacher.identity,
                concurrency=options.concurrency,
                on_answer=advance,
            )
        if len(drawing.failed) > options.max_failed * total:
            reason = next(iter(drawing.failed.values()))
            raise _too_many_failed(drawing.failed, total, work.folder / LEDGER)
        for request in _requests(asked, teacher, sampling, options.samples_per_problem):
            if reason := drawing.failed.get((request.problem.id, request.index), ""):
                yield Rejected(reason=f"unanswered: {reason}", row=request.problem)
            else:
                entry = ledger.get(request_key(request, teacher.identity), request.index)
                yield Trace(problem=request.problem, completion=read_completion(entry))


def _requests(
    problems: Sequence[Problem], teacher: Sampler, sampling: Sampling, samples_per_problem: int
) -> Iterator[Request]:
    for problem in problems:
        messages = teacher.messages(problem)
        for index in range(samples_per_problem):
            yield Request(problem, messages, sampling, index)


def _too_many_failed(failed: Mapping[tuple[str, int], str], total: int, ledger: Path) -> UserError:
    """Return the error for a stage that lost too much: what passes by itself is worth another try, the rest is not."""
    reasons = list(failed.values())
    passing = [reason for reason in reasons if reason.startswith("exhausted")]
    kind = TryAgainLater if passing else UserError
    return kind(
        f"{len(reasons)} of {total} requests got no answer, one of them: {(passing or reasons)[0]}",
        str(ledger),
        "what came is stored and not asked again; `sample: {max_failed: 1}` goes on without the rest",
    )
