"""What a run will cost: an upper bound before anything is stored, then from the answers that are."""

import json

import pytest

from cotdistill.pipeline.estimate import estimate
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from tests.support.classroom import reply
from tests.support.fault_server import FaultServer

COUNT = 40
PRICES = {"input": 1.0, "output": 10.0}


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a function (teacher, sample) -> pipeline whose server answers problem n with 100 + n tokens."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"p{n}", "question": f"Question number {n:02d}", "gold": "72"} for n in range(COUNT)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def make(server, *, teacher=None, sample=None):
        recipe = {
            "name": "r",
            "problems": {"dataset": "p.jsonl"},
            "teacher": {"kind": "endpoint", "base_url": server.base_url, "model": "r1", "stream": False}
            | (teacher or {}),
            "sample": sample or {},
        }
        (tmp_path / "r.yaml").write_text(json.dumps(recipe))
        return Pipeline(read_recipe(tmp_path / "r.yaml"), RunOptions(runs=tmp_path / "runs"))

    return make


@pytest.fixture
def server():
    def answer(request):
        return reply("It is **72**.", tokens=100 + int(request.body["messages"][0]["content"].split()[-1]))

    with FaultServer(answer=answer) as running:
        yield running


def costs(pipeline):
    [step] = pipeline.sample_steps()
    return estimate(step, pipeline.inputs.problems(step.recipe).sampled, pipeline.folder / step.folder)


def test_before_anything_is_stored_the_tokens_are_upper_bounds(work, server):
    found = costs(work(server, teacher={"prices": PRICES}, sample={"samples_per_problem": 2, "max_tokens": 500}))
    # A question of 18 ASCII characters is about 5 tokens.
    assert (found.pilot, found.requests, found.input_tokens, found.output_tokens) == (0, 80, 400, 40_000)
    assert found.usd == pytest.approx(400e-6 + 0.4)
    assert server.requests == []
    assert str(found) == (
        "1-sample: at most 80 requests, about 400 input tokens, at most 40,000 output tokens, at most $0.400 "
        "(--pilot N asks N problems to know better)"
    )


@pytest.mark.parametrize(
    ("sample", "requests", "tokens"),
    [
        ({"until": {"correct": 1, "max_samples": 3}, "max_tokens": 100}, 120, 12_000),
        ({"on_length": "raise_max_tokens", "max_tokens": 100, "max_tokens_ceiling": 400}, 120, 40 * 700),
        ({"on_length": "raise_max_tokens", "max_tokens": 100, "max_tokens_ceiling": 300}, 120, 40 * 600),
    ],
)
def test_the_bound_counts_what_may_be_asked_at_most(work, server, sample, requests, tokens):
    found = costs(work(server, sample=sample))
    assert (found.requests, found.output_tokens) == (requests, tokens)


def test_two_calls_are_two_requests_and_the_second_reads_the_first(work, server):
    one = costs(work(server, sample={"max_tokens": 100}))
    two = costs(work(server, sample={"max_tokens": 100}, teacher={"answer_prompt": "Therefore"}))
    assert (two.requests, two.output_tokens) == (2 * one.requests, 2 * one.output_tokens)
    assert two.input_tokens > 2 * one.input_tokens + 100 * COUNT


def test_without_a_bound_or_an_answer_nothing_is_made_up(work, server):
    found = costs(work(server, sample={"max_tokens": None}, teacher={"prices": PRICES}))
    assert (found.output_tokens, found.usd) == (None, None)
    assert str(found) == "1-sample: 40 requests; set max_tokens, or use --pilot N, to know what it costs"


def test_without_prices_no_cost_is_told(work, server):
    assert costs(work(server)).usd is None
    assert "$" not in str(costs(work(server)))


def test_a_pilot_tells_the_mean_and_its_interval(work, server):
    pipeline = work(server, teacher={"prices": PRICES})
    pipeline.pilot(10)
    assert len(server.requests) == 10
    found = costs(pipeline)
    true = sum(100 + n for n in range(COUNT))
    assert (found.pilot, found.problems, found.requests, found.input_tokens) == (10, 40, 40, 800)
    assert found.output_tokens == pytest.approx(true, rel=2 * found.error)
    assert 0 < found.error < 0.1
    assert found.usd == pytest.approx((800 * 1 + found.output_tokens * 10) / 1e6, rel=1e-3)
    assert "from 10 problems, ±" in str(found)


def test_a_pilots_answers_are_part_of_the_run_and_are_not_asked_again(work, server):
    pipeline = work(server)
    pipeline.pilot(10)
    pipeline.pilot(10)
    assert len(server.requests) == 10
    pipeline.run()
    assert len(server.requests) == COUNT
    assert len({request.prompt for request in server.requests}) == COUNT


def test_a_pilot_is_drawn_by_seed_and_not_from_the_first_problems(work, server):
    work(server).pilot(10)
    numbers = sorted(int(request.prompt.split()[-1]) for request in server.requests)
    assert numbers != list(range(10))


def test_a_pilot_larger_than_the_problems_asks_them_all_and_nothing_is_left_to_guess(work, server):
    pipeline = work(server)
    pipeline.pilot(10 * COUNT)
    found = costs(pipeline)
    assert (found.pilot, found.error, found.output_tokens) == (COUNT, 0, sum(100 + n for n in range(COUNT)))


def test_answers_to_other_problems_are_not_counted(work, server):
    work(server).pilot(COUNT)
    pipeline = work(server)
    (pipeline.recipe.source.path.parent / "p.jsonl").write_text(
        '{"id": "new", "question": "Question 1", "gold": "1"}\n'
    )
    assert costs(work(server)).pilot == 0


def test_answers_to_another_prompt_or_model_are_not_counted(work, server):
    work(server).pilot(COUNT)
    assert costs(work(server, teacher={"model": "r2"})).pilot == 0
    assert costs(work(server, sample={"temperature": 0.5})).pilot == 0
    assert costs(work(server, teacher={"stream": True})).pilot == COUNT


def test_problems_that_lack_a_sample_tell_nothing_about_what_all_cost(work, server):
    work(server).pilot(COUNT)
    assert costs(work(server, sample={"samples_per_problem": 2, "max_tokens": 9})).pilot == 0


def test_an_estimate_leaves_a_ledger_that_is_being_written_as_it_is(work, server):
    pipeline = work(server)
    pipeline.pilot(3)
    ledger = pipeline.folder / "1-sample" / "completions.jsonl"
    ledger.write_bytes(before := ledger.read_bytes() + b'{"key":"00')
    assert costs(work(server)).pilot == 3
    assert ledger.read_bytes() == before
