"""The command against a server that fails: every answer that was sent is stored, and paid for once.

All faults that pass meet one whole process, all that are refused another: a new fault joins its table.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from tests.support.fault_server import FaultServer, Received, Script, answered, status
from tests.support.faults import CUT_ANSWERS, CUT_STREAMS, REFUSED, SILENCES, STATUSES, STOPPING, TRUNCATED
from tests.support.sampling_run import SamplingRun

PROMPTS = 9
POSITIONS = {"first": 0, "middle": 4, "last": 8}
PASSING = CUT_STREAMS | CUT_ANSWERS | STATUSES | SILENCES
CLOCKS = {"first_content_timeout_s": 4, "gap_timeout_s": 4}
"""End the silences, and leave a good answer time enough on a busy machine."""


def table(faults: Mapping[str, Script]) -> list[object]:
    return [pytest.param(fault, id=name) for name, fault in faults.items()]


def on_first_attempt(faults: Mapping[str, Script]) -> Callable[[Received], Script | None]:
    """Let the first request of each of these prompts fail in its own way."""
    asked: Counter[str] = Counter()

    def choose(request: Received) -> Script | None:
        asked[request.prompt] += 1
        return faults.get(request.prompt) if asked[request.prompt] == 1 else None

    return choose


def at_positions(run: SamplingRun) -> list[str]:
    return [run.prompt(position) for position in POSITIONS.values()]


def asked(server: FaultServer) -> Counter[str]:
    return Counter(request.prompt for request in server.requests)


def attempts(run: SamplingRun) -> dict[str, int]:
    """Return prompt -> the attempts that its stored answer took."""
    return {run.prompt(int(record["problem_id"][1:])): record["attempts"] for record in run.records()}


class Batch(NamedTuple):
    """A run that met many faults, each at its own prompt, with a prompt that meets none between any two."""

    run: SamplingRun
    server: FaultServer
    done: object
    prompts: Mapping[str, str]
    """Name of a fault -> the prompt that met it."""


def batch_of(faults: Mapping[str, Script], folder, **teacher: object) -> Batch:
    """Run the command once; the first prompt and the last one meet a fault."""
    with FaultServer() as server:
        run = SamplingRun(folder, server.base_url, 2 * len(faults) - 1, concurrency=32, teacher=teacher)
        prompts = {name: run.prompt(2 * number) for number, name in enumerate(faults)}
        server.faults = on_first_attempt({prompts[name]: fault for name, fault in faults.items()})
        return Batch(run, server, run.run(), prompts)


@pytest.fixture(scope="module")
def passing(tmp_path_factory) -> Batch:
    return batch_of(PASSING, tmp_path_factory.mktemp("passing"), **CLOCKS)


@pytest.fixture(scope="module")
def refused(tmp_path_factory) -> Batch:
    return batch_of(REFUSED, tmp_path_factory.mktemp("refused"))


@pytest.fixture
def sample(call):
    """Run `sample r.yaml` in this process: its exit code and what it complained of."""

    def run(*arguments: str) -> tuple[int, str]:
        code, _, err = call("sample", "r.yaml", *arguments)
        assert "Traceback" not in err
        return code, err

    return run


def check_all_came(run: SamplingRun, server: FaultServer) -> None:
    """What was sent is stored once, and stands in the rows in the order of the problems."""
    assert sorted(server.sent_prompts) == sorted(run.all_prompts)
    assert run.stored() == run.all_prompts
    assert [row["problem"]["id"] for row in run.rows()] == [f"p{n}" for n in range(run.prompts)]


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_is_asked_exactly_once_more_and_stored_once(passing, name):
    prompt = passing.prompts[name]
    assert asked(passing.server)[prompt] == attempts(passing.run)[prompt] == 2
    assert passing.server.sent_prompts.count(prompt) == passing.run.stored().count(prompt) == 1


def test_passing_faults_cost_the_run_and_the_other_prompts_nothing(passing):
    assert passing.done.returncode == 0, passing.done.stderr
    assert "Traceback" not in passing.done.stderr
    run, met = passing.run, passing.prompts.values()
    assert asked(passing.server) == attempts(run) == {prompt: 1 + (prompt in met) for prompt in run.all_prompts}
    check_all_came(run, passing.server)


@pytest.mark.parametrize("name", ["HTTP 429", "reset in the middle"])
def test_a_passing_fault_at_the_first_middle_and_last_prompt_is_asked_again(tmp_path, sample, name):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        server.faults = on_first_attempt(dict.fromkeys(at_positions(run), PASSING[name]))
        code, err = sample()
    assert code == 0, err
    assert asked(server) == attempts(run) == {prompt: 1 + (prompt in at_positions(run)) for prompt in run.all_prompts}
    check_all_came(run, server)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_sent_once_and_its_problem_is_listed(refused, name):
    prompt = refused.prompts[name]
    assert asked(refused.server)[prompt] == 1
    assert prompt not in refused.run.stored()
    [failed] = [row for row in refused.run.rows("failed.jsonl") if row["row"]["question"] == prompt]
    assert failed["kind"] == "failed"


def test_refused_requests_are_listed_in_order_and_the_other_prompts_are_answered(refused):
    assert refused.done.returncode == 0, refused.done.stderr
    listed = [row["row"]["question"] for row in refused.run.rows("failed.jsonl")]
    assert listed == list(refused.prompts.values())
    answered_ones = [prompt for prompt in refused.run.all_prompts if prompt not in listed]
    assert refused.run.stored() == [row["problem"]["question"] for row in refused.run.rows()] == answered_ones
    assert len(refused.server.requests) == refused.run.prompts


def as_a_process(run: SamplingRun) -> tuple[int, str]:
    """The same as a user does it."""
    done = run.run()
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("name", STOPPING)
def test_a_refused_key_stops_the_run_when_the_running_answers_have_arrived(tmp_path, sample, name, position):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        in_flight = run.all_prompts[max(0, position - run.concurrency + 1) :]
        server.answer = lambda request: (0.4 if request.prompt in in_flight else 0, *answered(request))
        server.faults = on_first_attempt({run.prompt(position): (0.1, *STOPPING[name])})
        is_whole_process = (name, position) == ("HTTP 401", POSITIONS["middle"])
        code, err = as_a_process(run) if is_whole_process else sample()
        assert code == 3, err
        assert run.stored() == sorted(server.sent_prompts)
        assert set(run.all_prompts[: position - run.concurrency + 1 if position else 0]) <= set(asked(server))
        assert len(server.requests) <= position + run.concurrency
        assert re.search(rf"\b{len(run.stored())} .*stored", err)
        assert re.search(r"same command|cotdistill-cli sample", err)

        server.answer = answered
        code, err = sample()
    assert code == 0, err
    assert run.stored() == run.all_prompts
    assert len(server.requests) == PROMPTS + 1, "what is stored is not asked again"


def test_a_truncated_answer_is_stored_and_marked_and_never_paid_for_again(tmp_path, sample):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        server.faults = lambda request: TRUNCATED if request.prompt in at_positions(run) else None
        code, err = sample()
        assert code == 0, err
        assert run.stored() == run.all_prompts
        code, err = sample("--redo", "sample")
    assert code == 0, err
    assert len(server.requests) == PROMPTS
    assert all(record["attempts"] == 1 for record in run.records())
    marked = {row["problem"]["question"] for row in run.rows() if row["completion"]["status"] == "truncated"}
    assert marked == set(at_positions(run))


def test_a_request_whose_attempts_are_spent_is_listed_and_asked_when_the_run_goes_on(tmp_path, sample):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, teacher={"max_attempts": 2}, sample={"max_failed": 0})
        server.faults = lambda request: (status(500),) if request.prompt == run.prompt(4) else None
        code, err = sample()
        assert code == 75, err
        assert "1 of 9 requests got no answer" in err
        assert len(server.requests) == PROMPTS + 1
        server.faults = {}
        code, err = sample()
    assert code == 0, err
    assert len(server.requests) == PROMPTS + 2
    assert run.stored() == run.all_prompts


def test_an_endpoint_that_is_down_stops_the_run_to_go_on_later(tmp_path, sample):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, teacher={"max_outage_s": 1})
    code, err = sample()
    assert code == 75, err
    with FaultServer(port=server.port) as server:
        code, err = sample()
    assert code == 0, err
    assert run.stored() == run.all_prompts
    assert len(server.requests) == PROMPTS


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
def test_a_question_that_is_forbidden_is_listed_and_the_others_are_answered(tmp_path, sample, position):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        flagged = (status(403, '{"error": {"message": "input flagged \\ud83d \\u001b[2J"}}'),)
        server.faults = lambda request: flagged if request.prompt == run.prompt(position) else None
        code, err = sample()
    assert code == 0, err
    assert "\x1b" not in err
    assert sorted(server.sent_prompts) == sorted(set(run.all_prompts) - {run.prompt(position)})
    [row] = run.rows("failed.jsonl")
    assert "input flagged \ufffd \\x1b[2J" in row["reason"]


def test_half_a_character_in_an_error_that_passed_is_no_trouble(tmp_path, sample):
    fault = (status(500, '{"error": {"message": "half \\ud83d of it"}}'),)
    with FaultServer({0: fault}) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS)
        code, err = sample()
    assert code == 0, err
    assert "Logging error" not in err
    assert [row["problem"]["id"] for row in run.rows()] == [f"p{n}" for n in range(PROMPTS)]
