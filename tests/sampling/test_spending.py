"""The books of a run beside the bill that the server keeps: what it sent, whether that arrived whole or broke."""

import json

import pytest

from cotdistill.client.client import Client
from cotdistill.client.costs import Budget, Prices
from cotdistill.records import Message, Problem, Sampling
from cotdistill.registry import make
from cotdistill.samplers import Request
from cotdistill.sampling.meter import Meter, spent_in
from cotdistill.sampling.pool import PoolOptions, run_jobs, single_request
from cotdistill.storage.broken_attempts import BrokenAttempt, broken_path, note_broken, read_broken
from cotdistill.storage.ledger import Ledger
from tests.support.fault_server import DONE, EVENTS, FINISH, JSON, RESET, FaultServer, delta, event, whole

WORD = "word"  # a token by every count


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(Client, "_wait_s", lambda *_: 0.01)


def request(number):
    problem = Problem(id=f"p{number}", question=f"{number:04}" * 100)
    return Request(problem, (Message(role="user", content=problem.question),), Sampling(), 0)


def said(tokens):
    return [delta(content=WORD * 10) for _ in range(tokens // 10)]


def drawn(tmp_path, server, *, count=20, budget=None, concurrency=2, prices=None, **options):
    sampler = make("samplers", "endpoint", model="r1", base_url=server.base_url, **options)
    with Ledger(tmp_path / "c.jsonl") as ledger:
        meter = Meter(count, 0, prices, budget, spent_in(ledger))
        terms = PoolOptions(
            concurrency=concurrency,
            over_budget=meter.over_budget,
            on_answer=meter.take,
            on_broken=meter.paid.add_broken,
        )
        jobs = (single_request(request(number)) for number in range(count))
        result = run_jobs(sampler, jobs, ledger, identity=sampler.identity, options=terms)
        assert spent_in(ledger) == meter.paid, "the books are the same after a restart"
        return result, meter.paid


class Bill:
    """Every answer breaks after 900 tokens, twice, or comes whole; all of them are billed."""

    def __init__(self, *, breaks, counts=True):
        self.breaks, self.counts, self.output, self.prompts = breaks, counts, 0, 0

    def __call__(self, received):
        self.prompts += 100
        if self.breaks(received.number):
            self.output += 900
            return (EVENTS, *said(900), RESET)
        self.output += 1000
        usage = event(choices=[], usage={"prompt_tokens": 100, "completion_tokens": 1000})
        return (EVENTS, *said(1000), FINISH, *([usage] if self.counts else []), DONE)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("every", [0, 2, 3])
def test_the_books_are_the_servers_bill(tmp_path, counts, every):
    bill = Bill(breaks=lambda number: every and number % every == 0, counts=counts)
    with FaultServer(bill) as server:
        _, spent = drawn(tmp_path, server, concurrency=1)
    assert spent.output_tokens == pytest.approx(bill.output, rel=0.02)
    assert spent.input_tokens == pytest.approx(bill.prompts, rel=0.02)
    assert spent.uncounted == (0 if counts else spent.answers)
    assert (spent.broken > 0) == (every > 0)


def test_answers_that_break_count_against_the_budget_and_are_asked_twice_at_most(tmp_path):
    bill = Bill(breaks=lambda _: True)
    with FaultServer(bill) as server:
        result, spent = drawn(tmp_path, server, budget=Budget(output_tokens=3000))
        assert "of 3,000 output tokens are spent" in result.over_budget
        asked = len(server.requests)
        again, _ = drawn(tmp_path, server, budget=Budget(output_tokens=3000))
    assert 3000 <= spent.output_tokens < 3000 + 2 * 900 + 1
    assert again.over_budget
    assert len(server.requests) == asked


def test_a_request_whose_answers_break_is_given_up_after_two(tmp_path):
    with FaultServer(Bill(breaks=lambda _: True)) as server:
        result, _ = drawn(tmp_path, server, count=1)
    assert len(server.requests) == 2
    [failure] = result.failed.values()
    assert failure.kind == "exhausted"


@pytest.mark.parametrize("body", [whole()[:-5], whole().replace(b'"stop"', b'["stop"]')])
def test_a_whole_answer_that_cannot_be_used_is_billed_too(tmp_path, body):
    with FaultServer({0: (JSON, body)}) as server:
        _, spent = drawn(tmp_path, server, count=1, stream=False)
    assert (spent.answers, spent.broken) == (1, 1)
    assert spent.output_tokens > 9


def test_an_answer_that_was_cut_off_is_billed_by_what_it_said_and_not_by_what_stands_around_it(tmp_path):
    text = (WORD + " ") * 300
    body = whole(text=text, reasoning="")
    with FaultServer({0: (JSON, body[: body.index(b"word ") + 5 * 200])}) as server:
        _, spent = drawn(tmp_path, server, count=1, stream=False)
    assert spent.output_tokens - 9 == pytest.approx(200 * 5 / 4, rel=0.02)


def test_what_was_not_begun_costs_nothing(tmp_path):
    with FaultServer({0: (RESET,), 1: (EVENTS, RESET), 2: (JSON, b'{"error": {"message": "x"}}')}) as server:
        _, spent = drawn(tmp_path, server, count=1, max_attempts=9)
    assert (spent.answers, spent.broken, spent.output_tokens) == (1, 0, 9)


def test_prompts_cost_where_the_server_counts_nothing(tmp_path):
    bill = Bill(breaks=lambda _: False, counts=False)
    prices = Prices(input=1000, output=0)
    with FaultServer(bill) as server:
        result, spent = drawn(tmp_path, server, budget=Budget(usd=0.45), prices=prices, concurrency=1)
    assert result.over_budget
    assert spent.input_tokens == 500


def test_broken_attempts_outlast_a_line_that_was_cut(tmp_path):
    ledger = tmp_path / "c.jsonl"
    attempt = BrokenAttempt(host="a", reason="half \ud83d", output_tokens=3)
    note_broken(ledger, attempt)
    with broken_path(ledger).open("ab") as file:
        file.write(json.dumps(attempt.model_dump()).encode()[:-9] + b"\n")
    note_broken(ledger, attempt)
    assert sum(found.output_tokens for found in read_broken(ledger)) == 6
