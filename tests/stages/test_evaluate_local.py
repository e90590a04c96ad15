"""A tiny student on this machine, asked by the stage."""

import pytest

from cotdistill.data.task import Task
from cotdistill.records import Checkpoint, Problem
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.evaluate import EvaluateOptions

EVALUATE = stages()["evaluate"].function
PROBLEMS = tuple(Problem(id=f"p{n}", question=f"What is {n} + 1?", gold=str(n + 1)) for n in range(3))
THINK, ANSWER = 6, 4


@pytest.fixture
def ask(tmp_path, base, student):
    """Ask the student by these options; its scores."""

    def run(name, **options):
        work = Workspace(tmp_path / name, tmp_path, 1)
        work.folder.mkdir()
        rows = [Checkpoint(path=base, fingerprint="base")]
        roles = {"style": make("styles", "think"), "verifier": make("verifiers", "numeric"), "student": student}
        given = EvaluateOptions.model_validate({"max_tokens": THINK + ANSWER, **options})
        return list(EVALUATE(rows, given, work, tasks={"holdout": Task("holdout", PROBLEMS)}, **roles))

    return run


def test_a_thought_without_end_is_closed_at_the_budget_and_goes_on_from_there(ask):
    plain = ask("plain", prefill="<think>\n")
    assert {score.thought for score in plain} == {"unclosed"}
    assert {(score.verdict.outcome, score.completion.status) for score in plain} == {("unparsed", "truncated")}
    forced = ask("forced", prefill="<think>\n", think_budget=THINK)
    assert {score.thought for score in forced} == {"forced"}
    for one, other in zip(plain, forced, strict=True):
        assert one.completion.usage.completion_tokens == THINK + ANSWER
        assert "<think>" not in other.completion.reasoning
        assert THINK < other.completion.usage.completion_tokens <= THINK + ANSWER


def test_devices_and_attention_are_given_by_name(ask):
    def texts(name, **options):
        return [score.completion.reasoning + score.completion.text for score in ask(name, **options)]

    named = {"kind": "local", "devices": ["cpu"], "attn_implementation": "eager"}
    assert texts("named", sampler=named) == texts("plain")
