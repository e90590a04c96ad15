"""What no one foresaw, wherever it is raised, costs nothing that is in flight; a signal lets it arrive."""

import asyncio
import contextlib
import os
import signal
import threading
import time

import pytest

from cotdistill.errors import Interrupted, TryAgainLater, UserError
from cotdistill.records import Message, Problem, Sampling
from cotdistill.samplers import Reply, Request, SingleCall
from cotdistill.sampling.pool import PoolOptions, run_jobs, single_request
from cotdistill.storage.ledger import Ledger

ANSWER = {"choices": [{"message": {"content": "72"}, "finish_reason": "stop"}]}
AT_ONCE = 6
STRANGE = [
    TypeError("unhashable"),
    KeyError("x"),
    AttributeError("x"),
    RuntimeError("x"),
    OSError(5, "x"),
    SystemExit(1),
]


class Slow(SingleCall):
    """Answers once all workers ask; `before` is called with the number of each draw before it answers."""

    identity = "slow"

    def __init__(self, before=lambda _: None):
        self.before, self.asked, self.all_ask = before, 0, asyncio.Event()

    @contextlib.asynccontextmanager
    async def session(self, gate):
        yield self.draw

    async def draw(self, request):
        number, self.asked = self.asked, self.asked + 1
        if self.asked == AT_ONCE:
            self.all_ask.set()
        await self.all_ask.wait()
        self.before(number)
        # The others are in flight while the one raises.
        await asyncio.sleep(0.01 * (1 + number % AT_ONCE))
        return Reply(ANSWER, 0.1)


def request(number, index=0):
    problem = Problem(id=f"p{number}", question=f"q{number}")
    return Request(problem, (Message(role="user", content=problem.question),), Sampling(), index)


def jobs(count=30):
    return (single_request(request(number)) for number in range(count))


def run(tmp_path, sampler, work=None, **terms):
    with Ledger(tmp_path / "c.jsonl") as ledger:
        options = PoolOptions(concurrency=AT_ONCE, **terms)
        try:
            run_jobs(sampler, jobs() if work is None else work, ledger, identity="slow", options=options)
        finally:
            assert len({(entry.key, entry.index) for entry in ledger.read_entries()}) == len(ledger)
            run.stored = len(ledger)


def failing(error, *, at=3):
    def step(number=None, *_):
        step.count += 1
        if (number if isinstance(number, int) else step.count - 1) == at:
            raise error

    step.count = 0
    return step


@pytest.mark.parametrize("error", STRANGE, ids=lambda error: type(error).__name__)
def test_a_draw_that_raises_costs_its_own_answer_alone(tmp_path, error):
    sampler = Slow(failing(error))
    with pytest.raises(type(error)):
        run(tmp_path, sampler)
    assert sampler.asked < 30
    assert run.stored == sampler.asked - 1


@pytest.mark.parametrize("error", STRANGE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["on_answer", "on_done"])
def test_what_counts_answers_may_raise_and_all_are_stored(tmp_path, error, place):
    sampler = Slow()
    with pytest.raises(type(error)):
        run(tmp_path, sampler, **{place: failing(error)})
    assert AT_ONCE <= run.stored == sampler.asked < 30


@pytest.mark.parametrize("error", [*STRANGE, UserError("a bad row")], ids=lambda error: type(error).__name__)
def test_what_yields_the_jobs_may_raise_and_all_are_stored(tmp_path, error):
    def bad():
        yield from jobs(AT_ONCE)
        raise error

    sampler = Slow()
    with pytest.raises(type(error)):
        run(tmp_path, sampler, bad())
    assert run.stored == sampler.asked == AT_ONCE


@pytest.mark.parametrize("error", STRANGE, ids=lambda error: type(error).__name__)
def test_a_job_that_raises_when_it_sees_its_answer_costs_nothing(tmp_path, error):
    def bad():
        yield request(99)
        raise error

    sampler = Slow()
    with pytest.raises(type(error)):
        run(tmp_path, sampler, iter([bad(), *jobs()]))
    assert AT_ONCE <= run.stored == sampler.asked < 30


@pytest.mark.parametrize("at", range(0, 12, 2))
def test_a_full_disk_ends_the_run_with_what_was_stored(tmp_path, monkeypatch, at):
    write, fails = Ledger.write, failing(TryAgainLater("the disk is full"), at=at)

    def full(ledger, entry):
        fails()
        write(ledger, entry)

    monkeypatch.setattr(Ledger, "write", full)
    sampler = Slow()
    with pytest.raises(TryAgainLater, match="are stored"):
        run(tmp_path, sampler)
    assert run.stored == sampler.asked - 1


@pytest.mark.parametrize("concurrency", [1, 5, 8, 30, 100])
def test_a_budget_that_is_spent_before_the_start_asks_nothing_at_any_concurrency(tmp_path, concurrency):
    sampler = Slow()
    with Ledger(tmp_path / "c.jsonl") as ledger:
        options = PoolOptions(concurrency=concurrency, over_budget=lambda: "all is spent")
        result = run_jobs(sampler, jobs(), ledger, identity="slow", options=options)
    assert (result.over_budget, result.answered, sampler.asked) == ("all is spent", 0, 0)


@pytest.mark.parametrize("concurrency", [8, 30, 100])
def test_workers_that_are_stopped_before_their_first_step_are_no_error(tmp_path, concurrency):
    asked = iter([""])
    with Ledger(tmp_path / "c.jsonl") as ledger:
        options = PoolOptions(concurrency=concurrency, over_budget=lambda: next(asked, "all is spent"))
        result = run_jobs(Slow(), jobs(), ledger, identity="slow", options=options)
    assert result.over_budget == "all is spent"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("at", [0, 3, 9])
def test_a_signal_at_any_moment_lets_the_running_answers_arrive(tmp_path, number, code, at):
    sampler = Slow(lambda drawn: os.kill(os.getpid(), number) if drawn == at else None)
    with pytest.raises(Interrupted) as stopped:
        run(tmp_path, sampler)
    assert stopped.value.exit_code == code
    assert AT_ONCE <= run.stored == sampler.asked < 30


def test_a_terminal_that_goes_away_under_nohup_stops_nothing(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(tmp_path, Slow(lambda drawn: os.kill(os.getpid(), signal.SIGHUP) if drawn == 2 else None))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.stored == 30


@pytest.mark.parametrize("is_slow", [True, False])
def test_jobs_that_verify_run_beside_the_loop_one_at_a_time(tmp_path, is_slow):
    threads, at_work = set(), []

    def job(number):
        for index in range(2):
            yield request(number, index)
            threads.add(threading.current_thread())
            assert not at_work
            at_work.append(number)
            at_work.remove(number)

    run(tmp_path, Slow(), (job(number) for number in range(30)), has_slow_jobs=is_slow)
    assert run.stored == 60
    assert len(threads) == 1
    assert (threading.main_thread() in threads) == (not is_slow)


def test_a_second_signal_while_a_verifier_is_at_work_is_no_traceback(tmp_path):
    def job(number):
        yield request(number)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        yield request(number, 1)

    with pytest.raises(Interrupted):
        run(tmp_path, Slow(), (job(number) for number in range(30)), has_slow_jobs=True)
