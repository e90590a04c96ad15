"""Draws what a sampling plan still misses, under a live line and a budget; what it costs is counted one way for all."""

from collections.abc import Sequence
from dataclasses import replace

from cotdistill.records import Problem
from cotdistill.sampling.jobs import SamplingPlan
from cotdistill.sampling.meter import Meter
from cotdistill.sampling.pool import PoolOptions, PoolResult, run_jobs
from cotdistill.stage import Workspace
from cotdistill.storage.ledger import Ledger


def draw_missing(
    plan: SamplingPlan,
    asked: Sequence[Problem],
    ledger: Ledger,
    meter: Meter,
    work: Workspace,
    *,
    title: str,
    unit: str,
    options: PoolOptions,
) -> PoolResult:
    """Ask what is not stored yet; answers and attempts that broke count against the meter's budget.

    Raises: UserError and its kinds, Interrupted; the answers in flight arrive first.
    """
    with work.progress(title, total=meter.total, unit=unit) as advance:
        advance(meter.stored)

        def on_done() -> None:
            meter.done += 1
            advance(note=meter.note())

        metered = replace(
            options,
            over_budget=meter.over_budget,
            on_answer=meter.take,
            on_broken=meter.paid.add_broken,
            on_done=on_done,
        )
        jobs = plan.make_missing_jobs(asked, ledger)
        return run_jobs(plan.teacher, jobs, ledger, identity=plan.teacher.identity, options=metered)
