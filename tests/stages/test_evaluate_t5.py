"""An encoder-decoder is asked with a search over several beginnings, and graded by the last number that it says."""

import pytest

from cotdistill.data.task import Task
from cotdistill.records import Checkpoint, Problem
from cotdistill.registry import kinds, make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.evaluate import EvaluateOptions
from tests.support.tiny_t5 import make_t5

NUMBERS = ["solve:", *(f"{thousands},{hundreds}00" for thousands in range(1, 6) for hundreds in range(10))]
"""All that the model knows: whatever it says ends in a number."""
TOKENS = 4


@pytest.fixture(scope="module")
def t5(tmp_path_factory):
    return make_t5(tmp_path_factory.mktemp("t5"), known=NUMBERS)


def searched(t5, questions, beams):
    """What transformers' own search says to each question."""
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    model, tokenizer = T5ForConditionalGeneration.from_pretrained(t5), AutoTokenizer.from_pretrained(t5)
    said = []
    for question in questions:
        ids = tokenizer(f"solve: {question} </s>", return_tensors="pt", add_special_tokens=False)["input_ids"]
        found = model.generate(ids, num_beams=beams, max_new_tokens=TOKENS, do_sample=False)
        said.append(tokenizer.decode(found[0], skip_special_tokens=True))
    return said


def test_a_t5_is_searched_and_graded_by_its_last_number(t5, tmp_path):
    questions = [" ".join(NUMBERS[n : n + 3]) for n in range(1, 31, 3)]
    answers = searched(t5, questions, beams=5)
    assert answers != searched(t5, questions, beams=1), "the search finds what the greedy choice does not"
    last = [(answer.split() or [None])[-1] for answer in answers]
    golds = [(number or "1").replace(",", "") for number in last]
    outcomes = ["correct" if number else "unparsed" for number in last]
    first = outcomes.index("correct")
    golds[first], outcomes[first] = "1", "wrong"
    assert {"correct", "wrong"} <= set(outcomes)
    asked = [Problem(id=q, question=q, gold=gold) for q, gold in zip(questions, golds, strict=True)]
    student = kinds("students")["seq2seq"].options.model_validate({"kind": "seq2seq", "model": t5})
    options = EvaluateOptions(num_beams=5, max_tokens=TOKENS, batch_size=4)
    scores = list(
        stages()["evaluate"].function(
            [Checkpoint(path=t5, fingerprint="t5")],
            options,
            Workspace(tmp_path, tmp_path, 1),
            tasks={"sums": Task("sums", tuple(asked))},
            style=make("styles", "solve"),
            verifier=make("verifiers", "last_number"),
            student=student,
        )
    )
    assert [score.verdict.extracted for score in scores] == last
    assert [score.verdict.outcome for score in scores] == outcomes
