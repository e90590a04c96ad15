"""How a student is asked, by a server that is told what to say: options, the ledger, and what a score tells."""

import json
import os
from collections import Counter

import pytest
from pydantic import ValidationError

from cotdistill.errors import RecipeFault, UserError
from cotdistill.records import Problem
from cotdistill.registry import make
from cotdistill.stages.evaluate import EvaluateOptions
from tests.support import fake_vllm
from tests.support.examination import Examination, never_closes, says, solved
from tests.support.fault_server import status

CLOSED = "<think>\nI count.\n</think>\n\nIt is 1."
SEVEN = [Problem(id="p", question="What is 6 + 1?", gold="7")]


@pytest.fixture
def exam(tmp_path):
    return Examination(tmp_path)


def test_a_student_is_asked_greedily_in_its_style_and_graded(exam):
    scores = exam.run(lambda request: says(CLOSED), max_tokens=99)
    assert [(s.task, s.problem.id, s.verdict.outcome, s.thought) for s in scores] == [
        ("holdout", "p0", "correct", "closed"),
        ("holdout", "p1", "wrong", "closed"),
        ("holdout", "p2", "wrong", "closed"),
    ]
    assert scores[0].completion.reasoning == "I count."
    body = exam.bodies[0]
    assert (body["temperature"], body["max_tokens"]) == (0, 99)
    assert not {"seed", "top_p", "num_beams"} & body.keys(), "nothing is drawn, and no server searches"


def test_a_thought_that_never_ends_is_unparsed_without_a_budget_and_answered_with_it(exam, tmp_path):
    (score,) = exam.run(never_closes, asked=SEVEN)
    told = json.loads((tmp_path / "report.json").read_text())["tasks"]["holdout"]
    assert (told["accuracy"], told["outcomes"]) == (0, {"unparsed": 1})
    assert (score.verdict.outcome, score.thought, score.completion.status) == ("unparsed", "unclosed", "truncated")
    (score,) = exam.run(never_closes, asked=SEVEN, think_budget=1000)
    assert (score.verdict.outcome, score.thought, score.completion.status) == ("correct", "forced", "ok")
    assert exam.bodies[-1]["messages"][-1]["content"] == "<think>\nOr is it 8?\n</think>\n\n"
    assert exam.bodies[-1]["max_tokens"] == 4096 - 1000


def test_the_equations_of_the_thought_are_counted_and_where_there_is_none_those_of_the_answer(exam):
    (score,) = exam.run(lambda request: says("<think>\n6 + 1 = 8. And 2 + 2 = 4.\n</think>\n\n3 + 4 = 7"), asked=SEVEN)
    assert (score.equations.stated, score.equations.held) == (2, 1)
    other = [SEVEN[0].model_copy(update={"question": "What is 5 + 2?"})]
    (score,) = exam.run(lambda request: says("3 + 4 = 7"), asked=other)
    assert (score.equations.stated, score.equations.held) == (1, 1)
    third = [SEVEN[0].model_copy(update={"question": "What is 4 + 3?"})]
    (score,) = exam.run(lambda request: says("It is 7."), asked=third)
    assert score.equations is None


def test_an_answer_that_is_cut_off_is_graded_as_far_as_it_goes_and_shown(exam):
    (score,) = exam.run(lambda request: says("It is 7. Wait, ", finish_reason="length"), asked=SEVEN)
    assert (score.verdict.outcome, score.thought, score.completion.status) == ("correct", "none", "truncated")


def test_every_sample_is_an_answer_of_its_own(exam):
    scores = exam.run(lambda request: says(CLOSED), samples_per_problem=3, temperature=0.6, top_p=0.9, seed=10)
    assert [(s.problem.id, s.completion.index) for s in scores[:4]] == [("p0", 0), ("p0", 1), ("p0", 2), ("p1", 0)]
    assert Counter(body["seed"] for body in exam.bodies) == {10: 3, 11: 3, 12: 3}
    assert {(body["temperature"], body["top_p"]) for body in exam.bodies} == {(0.6, 0.9)}


def test_what_is_stored_is_not_asked_again(exam):
    first = exam.run(never_closes, think_budget=100)
    count = len(exam.bodies)
    assert exam.run(never_closes, think_budget=100) == first
    assert len(exam.bodies) == count == 6
    exam.run(never_closes, think_budget=200)
    assert len(exam.bodies) == 2 * count, "another budget is another question"


def test_what_came_before_a_server_failed_is_kept(exam):
    refused = lambda request: (status(400),) if "2 + 1" in request.prompt else None  # noqa: E731
    with pytest.raises(UserError, match="1 of 3 problems got no answer: failed: HTTP 400"):
        exam.run(lambda request: says(CLOSED), faults=refused)
    exam.run(lambda request: says(CLOSED))
    assert Counter(body["messages"][-1]["content"] for body in exam.bodies)["What is 0 + 1?"] == 1


def test_an_answer_begins_with_the_prefill(exam):
    scores = exam.run(lambda request: says("I count.\n</think>\n\nIt is 1."), prefill="<think>\n")
    assert exam.bodies[0]["messages"][-1] == {"role": "assistant", "content": "<think>\n"}
    assert (scores[0].thought, scores[0].completion.reasoning) == ("closed", "I count.")


@pytest.mark.parametrize(("system", "roles"), [("none", ["user"]), ("brief.txt", ["system", "user"])])
def test_a_system_prompt_is_left_out_or_read_from_a_file(exam, tmp_path, monkeypatch, system, roles):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brief.txt").write_text("Be brief.")
    exam.run(lambda request: says(CLOSED), style="thought_solution", system=system, asked=SEVEN)
    messages = exam.bodies[0]["messages"]
    assert [message["role"] for message in messages] == roles
    assert messages[0]["content"] == ("Be brief." if system == "brief.txt" else "What is 6 + 1?")


def test_worked_examples_are_never_the_question(exam):
    pool = [solved(number) for number in range(3)] + [solved(0, "again")]
    exam.run(lambda request: says(CLOSED), shots=2, examples=pool, samples_per_problem=2, temperature=1)
    asked = [[m["content"] for m in body["messages"]] for body in exam.bodies]
    assert len(asked) == 6
    for turns in asked:
        assert len(turns) == 5 and turns[-1] not in turns[:-1]
        assert turns[1].startswith("<think>\nI count.")
    by_question = {turns[-1]: turns for turns in asked}
    assert all(turns == by_question[turns[-1]] for turns in asked), "every sample is shown the same"


def test_too_few_worked_examples_are_told_of(exam):
    with pytest.raises(UserError, match="3 examples before a question need rationales of 4 problems") as caught:
        exam.run(lambda request: says(CLOSED), shots=3, examples=[solved(0)])
    assert caught.value.where == "evaluate.shots"


def test_a_server_is_asked_by_the_arms_name(exam):
    exam.run(lambda request: says(CLOSED), model="student-{arm}", asked=SEVEN)
    assert exam.bodies[0]["model"] == "student-filtered"


def test_vllm_is_started_for_the_stage_with_the_checkpoint(exam, tmp_path, monkeypatch):
    home = fake_vllm.install(tmp_path, text=CLOSED)
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
    scores = exam.run(lambda request: says("not asked"), sampler={"kind": "vllm", "serve": {"max_model_len": 512}})
    assert [score.verdict.outcome for score in scores] == ["correct", "wrong", "wrong"]
    words = fake_vllm.arguments(home)
    assert words[:2] == ["serve", "owner/base"] and words[-2:] == ["--max-model-len", "512"]
    assert (tmp_path / "vllm.log").exists()
    assert not any(map(fake_vllm.is_alive, fake_vllm.processes(home)))
    assert exam.run(lambda request: says("not asked"), sampler="vllm") == scores
    assert len(fake_vllm.processes(home)) == 2, "what is stored needs no server"
    assert not exam.bodies


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"samples_per_problem": 2}, "samples_per_problem"),
        ({"top_p": 0.9}, "top_p"),
        ({"num_beams": 2, "temperature": 1}, "num_beams"),
        ({"num_beams": 2, "sampler": "vllm"}, "num_beams"),
        ({"think_budget": 4096}, "think_budget"),
    ],
)
def test_options_that_do_not_fit_together_are_refused_with_their_key(options, key):
    with pytest.raises(ValidationError) as caught:
        EvaluateOptions.model_validate(options)
    assert caught.value.errors()[0]["ctx"]["key"] == key


@pytest.mark.parametrize(
    ("style", "options", "key", "message"),
    [
        ("think", {"prefill": "<thought>"}, "evaluate.prefill", "cannot read back '<thought>'"),
        ("plain", {"prefill": "<think>\n"}, "evaluate.prefill", "the style `plain` cannot read back"),
        ("plain", {"think_budget": 10}, "evaluate.think_budget", "does not mark where a thought ends"),
        ("think", {"system": "no.txt"}, "evaluate.system", "no such file"),
        (
            "think",
            {
                "prefill": "<think>",
                "sampler": {"kind": "endpoint", "base_url": "https://api.openai.com/v1", "model": "m"},
            },
            "evaluate.prefill",
            "goes on with no answer",
        ),
    ],
)
def test_what_a_style_or_a_server_has_no_use_for_is_found_by_the_check(style, options, key, message):
    with pytest.raises(UserError, match=message) as caught:
        EvaluateOptions.model_validate(options).check({"style": make("styles", style)}, seed=1)
    assert caught.value.where == key


@pytest.mark.parametrize("options", [{"prefill": "<think>\n", "think_budget": 100}, {"system": "none"}, {}])
def test_what_a_style_knows_passes(options):
    EvaluateOptions.model_validate(options).check({"style": make("styles", "think")}, seed=1)


def test_where_and_how_fast_a_student_answers_is_no_part_of_the_key():
    keys = [
        EvaluateOptions.model_validate(
            {"sampler": {"kind": "endpoint", "base_url": f"http://127.0.0.1:{port}/v1", "model": "m", **more}}
        ).key_options()
        for port, more in [(1, {}), (2, {"concurrency": 3})]
    ]
    assert keys[0] == keys[1]
    assert keys[0]["sampler"] == {"kind": "endpoint", "model": "m", "extra_body": None}
    assert EvaluateOptions().key_options()["sampler"] == {"kind": "local"}


class ForeignStudent:
    """A kind of student of another package, asked in its own way."""

    def sampler(self, checkpoint, *, batch_size):
        return object()


@pytest.mark.parametrize("given", [{"devices": ["cpu"]}, {"attn_implementation": "eager"}])
def test_a_kind_of_student_that_takes_no_devices_is_found_by_the_check(given):
    options = EvaluateOptions.model_validate({"sampler": {"kind": "local", **given}})
    with pytest.raises(RecipeFault, match="takes no devices or attention") as caught:
        options.check({"student": ForeignStudent()}, seed=1)
    assert caught.value.where == "evaluate.sampler"
    EvaluateOptions().check({"student": ForeignStudent()}, seed=1)
    options.check({"student": make("students", "full", model="gpt2")}, seed=1)
