"""One test over all samplers: each says who answers, what it asks, and that two of the same options are the same."""

import json

import pytest

from cotdistill.records import Message, Problem
from cotdistill.registry import kinds, make

PROBLEM = Problem(id="p", question="What is {1} + 1?", gold="2")
OPTIONS = {
    "demo": {},
    "endpoint": {"base_url": "http://127.0.0.1:9/v1", "model": "m"},
    "local": {"model": "owner/name"},
    "replay": {"path": "traces.jsonl"},
    "vllm": {"model": "owner/name"},
}


@pytest.fixture(autouse=True)
def _traces(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = {"question": PROBLEM.question, "reasoning": "r", "answer": "2"}
    (tmp_path / "traces.jsonl").write_text(json.dumps(row))


def test_every_sampler_is_tested_here():
    assert sorted(OPTIONS) == sorted(kinds("samplers"))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_question_is_asked_as_it_stands(name):
    assert make("samplers", name, **OPTIONS[name]).messages(PROBLEM)[-1].content == PROBLEM.question


@pytest.mark.parametrize("name", OPTIONS)
def test_what_stands_before_a_question_is_asked_with_it(name):
    turns = [Message(role=role, content=role) for role in ("system", "user", "assistant")]
    problem = PROBLEM.model_copy(update={"context": tuple(turns)})
    assert list(make("samplers", name, **OPTIONS[name]).messages(problem)[-4:-1]) == turns


@pytest.mark.parametrize("name", OPTIONS)
def test_the_same_options_are_the_same_teacher(name):
    first, second = (make("samplers", name, **OPTIONS[name]).identity for _ in range(2))
    assert first == second != ""


def test_other_weights_and_other_records_are_another_teacher(tmp_path):
    (tmp_path / "model").mkdir()
    local = make("samplers", "local", model=str(tmp_path / "model"))
    (tmp_path / "model" / "config.json").write_text("{}")
    before = local.identity, make("samplers", "replay", path="traces.jsonl").identity
    (tmp_path / "model" / "config.json").write_text('{"a": 1}')
    (tmp_path / "traces.jsonl").write_text('{"question": "q", "reasoning": "r", "answer": "3"}')
    after = local.identity, make("samplers", "replay", path="traces.jsonl").identity
    assert before[0] != after[0] and before[1] != after[1]


def test_extra_fields_are_part_of_who_answers_in_whatever_order_they_stand():
    def identity(**extra_body):
        return make("samplers", "endpoint", **OPTIONS["endpoint"], extra_body=extra_body).identity

    assert identity(b=[1, 2], a={"y": None, "x": "é"}) == identity(a={"x": "é", "y": None}, b=[1, 2])
    assert identity(a=1) != identity(a="1")
