"""The command against a server that fails: every answer that was sent is stored, and paid for once."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.fault_server import FaultServer, Received, Script, answered, status
from tests.support.faults import CUT_ANSWERS, CUT_STREAMS, REFUSED, SILENCES, STATUSES, STOPPING, TRUNCATED
from tests.support.sampling_run import SamplingRun

PROMPTS = 9
POSITIONS = {"first": 0, "middle": 4, "last": 8}
FAST = ("HTTP 429", "reset in the middle")
"""Run at every test; the others, of which each takes seconds, in CI."""


def table(faults: dict[str, Script]) -> list[object]:
    return [pytest.param(f, id=n, marks=() if n in FAST else pytest.mark.slow) for n, f in faults.items()]


def on_first_attempt(fault: Script, prompts: list[str]) -> Callable[[Received], Script | None]:
    """Let the first request of each of these prompts fail."""
    asked: Counter[str] = Counter()

    def choose(request: Received) -> Script | None:
        asked[request.prompt] += 1
        return fault if request.prompt in prompts and asked[request.prompt] == 1 else None

    return choose


def at_positions(run: SamplingRun) -> list[str]:
    return [run.prompt(position) for position in POSITIONS.values()]


@pytest.mark.parametrize("fault", table(CUT_STREAMS | CUT_ANSWERS | STATUSES | SILENCES))
def test_a_passing_fault_at_the_first_middle_and_last_prompt_is_asked_again(tmp_path, fault):
    is_silence = fault in SILENCES.values()
    clocks = {"first_content_timeout_s": 1.5, "gap_timeout_s": 1.5} if is_silence else {}
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, teacher=clocks)
        server.faults = on_first_attempt(fault, at_positions(run))
        done = run.run()
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    asked = Counter(request.prompt for request in server.requests)
    assert asked == {prompt: 1 + (prompt in at_positions(run)) for prompt in run.all_prompts}
    assert sorted(server.sent_prompts) == sorted(run.all_prompts)
    assert run.stored() == run.all_prompts
    attempts = {record["problem_id"]: record["attempts"] for record in run.records()}
    assert {run.prompt(int(name[1:])): count for name, count in attempts.items()} == asked
    assert [row["problem"]["id"] for row in run.rows()] == [f"p{n}" for n in range(PROMPTS)]


@pytest.mark.parametrize("fault", table(REFUSED))
def test_a_refused_request_is_sent_once_and_its_problem_is_listed(tmp_path, fault):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        server.faults = on_first_attempt(fault, at_positions(run))
        done = run.run()
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == PROMPTS
    assert run.stored() == [prompt for prompt in run.all_prompts if prompt not in at_positions(run)]
    failed = run.rows("failed.jsonl")
    assert [row["row"]["question"] for row in failed] == at_positions(run)
    assert all(row["reason"].startswith("failed: ") for row in failed)
    assert len(run.rows()) == PROMPTS - len(POSITIONS)


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("fault", table(STOPPING))
def test_a_refused_key_stops_the_run_when_the_running_answers_have_arrived(tmp_path, fault, position):
    with FaultServer(answer=lambda request: (0.4, *answered(request))) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        server.faults = on_first_attempt((0.1, *fault), [run.prompt(position)])
        done = run.run()
        asked = [request.prompt for request in server.requests]
        assert done.returncode == 3, done.stderr
        assert run.stored() == sorted(server.sent_prompts)
        assert set(run.all_prompts[: position - run.concurrency + 1 if position else 0]) <= set(asked)
        assert len(asked) <= position + run.concurrency
        assert re.search(rf"\b{len(run.stored())} .*stored", done.stderr)
        assert re.search(r"same command|cotdistill-cli sample", done.stderr)

        again = run.run()
    assert again.returncode == 0, again.stderr
    assert run.stored() == run.all_prompts
    assert len(server.requests) == PROMPTS + 1, "what is stored is not asked again"


def test_a_truncated_answer_is_stored_and_marked_and_never_paid_for_again(tmp_path):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        server.faults = lambda request: TRUNCATED if request.prompt in at_positions(run) else None
        done = run.run()
        assert done.returncode == 0, done.stderr
        assert run.stored() == run.all_prompts
        redone = run.run("--redo", "sample")
    assert redone.returncode == 0, redone.stderr
    assert len(server.requests) == PROMPTS
    assert all(record["attempts"] == 1 for record in run.records())
    marked = {row["problem"]["question"] for row in run.rows() if row["completion"]["status"] == "truncated"}
    assert marked == set(at_positions(run))


@pytest.mark.slow
def test_a_request_whose_attempts_are_spent_is_listed_and_asked_when_the_run_goes_on(tmp_path):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, teacher={"max_attempts": 2})
        run.sample["max_failed"] = 0
        run.write_recipe()
        server.faults = lambda request: (status(500),) if request.prompt == run.prompt(4) else None
        done = run.run()
        assert done.returncode == 75, done.stderr
        assert "1 of 9 requests got no answer" in done.stderr
        assert len(server.requests) == PROMPTS + 1
        server.faults = {}
        again = run.run()
    assert again.returncode == 0, again.stderr
    assert len(server.requests) == PROMPTS + 2
    assert run.stored() == run.all_prompts


@pytest.mark.slow
def test_an_endpoint_that_is_down_stops_the_run_to_go_on_later(tmp_path):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, teacher={"max_outage_s": 1})
    done = run.run()
    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr
    with FaultServer(port=server.port) as server:
        again = run.run()
    assert again.returncode == 0, again.stderr
    assert run.stored() == run.all_prompts
    assert len(server.requests) == PROMPTS
