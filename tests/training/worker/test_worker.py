"""The training process, run inside the test's."""

import json

import pytest

from cotdistill import registry
from cotdistill.errors import UserError
from cotdistill.losses import IGNORED
from cotdistill.training.job import Job
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, RATIONALE
from cotdistill.training.prepare.tokenfile import write_rows
from cotdistill.training.prepare.tokens import Encoder
from tests.support.tiny_student import SIZES, thoughts
from tests.support.weights import assert_same_weights


def _metrics(job: Job) -> list[dict]:
    return [json.loads(line) for line in job.metrics.read_text().splitlines()]


def test_accumulated_micro_steps_are_one_large_batch(job):
    from cotdistill.training.worker.worker import train

    whole = job("whole", per_device_train_batch_size=8)
    parts = job("parts", per_device_train_batch_size=2, gradient_accumulation_steps=4)
    train(whole)
    train(parts)
    (row,), (row_of_parts,) = _metrics(whole), _metrics(parts)
    assert row["loss"] == pytest.approx(row_of_parts["loss"], rel=1e-5)
    assert row["grad_norm"] == pytest.approx(row_of_parts["grad_norm"], rel=1e-4)
    assert row["tokens"] == row_of_parts["tokens"] > 8
    assert_same_weights(whole.output, parts.output)


GEMMA2 = {"model_type": "gemma2", "head_dim": 16, "final_logit_softcapping": 0.1}
"""A cap that this model's first logits reach."""


@pytest.mark.parametrize("changes", [{}, GEMMA2], ids=["qwen2", "gemma2"])
def test_the_loss_is_the_mean_over_supervised_tokens_not_over_rows(job, tokenizer_folder, tmp_path, changes):
    import torch
    from transformers import AutoModelForCausalLM

    from cotdistill.training.prepare.tokenfile import TokenFile
    from cotdistill.training.worker.worker import train

    student = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=SIZES | changes)
    made = job(per_device_train_batch_size=12, max_steps=1).model_copy(update={"base": student.base(tmp_path, seed=1)})
    train(made)
    model = AutoModelForCausalLM.from_pretrained(made.base)
    total, count = 0.0, 0
    with torch.no_grad():
        for row in (TokenFile(made.tokens)[n] for n in range(12)):
            scores = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            for place, label in enumerate(row.labels):
                if label != IGNORED:
                    total -= scores[place - 1, label].item()
                    count += 1
    (metrics,) = _metrics(made)
    assert metrics["tokens"] == count
    assert metrics["loss"] == pytest.approx(total / count, rel=1e-4)


def _weighed(job, tokenizer, name, part_weights, *, learned=(RATIONALE, ANSWER), **arguments):
    """Train four steps on thoughts and answers with these weights, only these parts learned."""
    from cotdistill.training.worker.worker import train

    made = job(name, optim="adamw_torch", learning_rate=1e-2, max_steps=4, **arguments)
    parts = {part: bytes([part if part in learned else GIVEN]) for part in (GIVEN, RATIONALE, ANSWER)}
    encoded = Encoder(tokenizer, style=registry.make("styles", "think")).encode(thoughts(12))
    write_rows((row._replace(parts=b"".join(map(parts.get, row.parts))) for row in encoded), made.tokens)
    made = made.model_copy(update={"part_weights": part_weights})
    train(made)
    return made


def test_a_rationale_of_no_weight_is_as_one_that_is_given(job, tokenizer):
    weighed = _weighed(job, tokenizer, "weighed", (0.0, 3.0), per_device_train_batch_size=12)
    given = _weighed(job, tokenizer, "given", None, learned=(ANSWER,), per_device_train_batch_size=12)
    whole = _weighed(job, tokenizer, "whole", None, per_device_train_batch_size=12)
    for row, other, counted in zip(_metrics(weighed), _metrics(given), _metrics(whole), strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert row["loss"] != pytest.approx(counted["loss"], rel=1e-4)
        assert row["tokens"] == counted["tokens"] > other["tokens"], "what is supervised is counted, weighed or not"
    assert_same_weights(weighed.output, given.output, tolerance=1e-4)


@pytest.mark.parametrize("changes", [{}, GEMMA2], ids=["qwen2", "gemma2"])
def test_the_loss_is_the_weighted_mean_over_the_whole_step(job, tokenizer, tokenizer_folder, tmp_path, changes):
    import torch
    from transformers import AutoModelForCausalLM

    from cotdistill.training.prepare.tokenfile import TokenFile

    student = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=SIZES | changes)
    base = student.base(tmp_path, seed=1)

    def job_on_base(name, **arguments):
        return job(name, **arguments).model_copy(update={"base": base})

    accumulated = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 3}
    made = _weighed(job_on_base, tokenizer, "parts", (0.25, 2.0), **accumulated)
    one = _weighed(job_on_base, tokenizer, "one", (0.25, 2.0), per_device_train_batch_size=12)
    model, rows = AutoModelForCausalLM.from_pretrained(base), TokenFile(one.tokens, part_weights=(0.25, 2.0))
    total = weight = 0.0
    with torch.no_grad():
        for row in (rows[number] for number in range(12)):
            scores = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            for place, label in enumerate(row.labels):
                if label != IGNORED:
                    total -= row.weights[place] * scores[place - 1, label].item()
                    weight += row.weights[place]
    for row, other in zip(_metrics(made), _metrics(one), strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-4)
    assert _metrics(one)[0]["loss"] == pytest.approx(total / weight, rel=1e-4)


def test_the_saved_student_is_an_ordinary_one_that_stops_where_it_was_taught(job):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from cotdistill.training.worker.worker import train

    made = job()
    train(made)
    model = AutoModelForCausalLM.from_pretrained(made.output)
    assert model.generation_config.eos_token_id == [2, 0]
    assert AutoTokenizer.from_pretrained(made.output).chat_template
    assert json.loads((made.output / "training.json").read_text())["steps"] == 1
    assert not made.partial.exists()
    assert not list(made.output.glob("*.bin")), "pickles are not handed out"


def test_a_folder_in_the_students_place_is_moved_aside_whole(job):
    from cotdistill.training.worker.worker import train

    made = job()
    made.output.mkdir()
    (made.output / "mine.txt").write_text("keep me")
    train(made)
    (aside,) = made.work.glob("checkpoint.*")
    assert (aside / "mine.txt").read_text() == "keep me"
    assert not (made.output / "mine.txt").exists()


def test_a_loss_that_is_not_a_number_stops_with_its_step_and_saves_nothing(job):
    from cotdistill.training.worker.worker import train

    made = job(learning_rate=1e30, max_steps=20, max_grad_norm=0.0)
    with pytest.raises(UserError, match=r"the (loss|gradient) is (nan|inf) at step \d+ \(lower `learning_rate`"):
        train(made)
    assert not made.output.exists()


@pytest.mark.parametrize(
    ("device", "given", "expected"),
    [
        ("cuda", {"dataloader_num_workers": 2}, {}),
        ("npu", {}, {"optim": "adamw_torch"}),
        (
            "npu",
            {"dataloader_num_workers": 2},
            {"optim": "adamw_torch", "dataloader_multiprocessing_context": "spawn"},
        ),
    ],
)
def test_an_npu_gets_the_plain_optimiser_and_spawned_loaders(device, given, expected):
    from cotdistill.training.worker.arguments import defaults_on

    assert defaults_on(device, given) == expected


def test_loaders_can_be_spawned(job):
    from cotdistill.training.worker.worker import train

    made = job(dataloader_num_workers=1, dataloader_multiprocessing_context="spawn")
    train(made)
    assert made.output.exists()


def test_wrong_values_for_transformers_are_the_users_fault(job):
    from cotdistill.training.worker.worker import train

    with pytest.raises(UserError, match=r"^train: .*no_such_schedule"):
        train(job(lr_scheduler_type="no_such_schedule"))
