"""The student as it was at each saved point."""

import json

import pytest

from cotdistill.training.job import TRAINING
from tests.support.weights import assert_same_weights, read_weights


@pytest.fixture
def points(job):
    """A job of five steps that saves after every second, and keeps the student there where it is asked to."""

    def make(name, *, kept, **arguments):
        made = job(name, **({"max_steps": 5, "save_steps": 2, "learning_rate": 0.1} | arguments))
        return made.model_copy(update={"points": made.work / "points" if kept else None})

    return make


def test_a_student_is_kept_at_every_saved_point_and_the_training_is_the_same(points):
    from transformers import AutoModelForCausalLM

    from cotdistill.training.worker.worker import train

    kept, plain, short = (
        points("kept", kept=True),
        points("plain", kept=False),
        points("short", kept=False, max_steps=2),
    )
    for each in (kept, plain, short):
        train(each)
    assert sorted(path.name for path in kept.points.iterdir()) == ["step-2", "step-4"], "the last is the student itself"
    assert not (plain.work / "points").exists()
    assert_same_weights(kept.output, plain.output, tolerance=0, relative=0)
    assert_same_weights(kept.points / "step-2", short.output, tolerance=0, relative=0)
    assert json.loads((kept.points / "step-4" / TRAINING).read_text())["steps"] == 4
    assert AutoModelForCausalLM.from_pretrained(kept.points / "step-2").generation_config.eos_token_id == [2, 0]
    assert {path.name for path in (kept.points / "step-2").iterdir()} >= {"tokenizer.json", "config.json"}


def test_points_are_kept_after_every_epoch_where_epochs_are_saved(points):
    from cotdistill.training.worker.worker import train

    made = points("epochs", kept=True, max_steps=-1, num_train_epochs=3, save_strategy="epoch")
    made = made.model_copy(update={"arguments": made.arguments | {"per_device_train_batch_size": 6}})
    train(made)
    assert sorted(path.name for path in made.points.iterdir()) == ["step-2", "step-4"]


def test_a_start_that_was_cut_off_before_its_point_counted_writes_it_again(points):
    from cotdistill.training.worker.worker import train

    made = points("again", kept=True, max_steps=3)
    (made.points / "step-2").mkdir(parents=True)
    (made.points / "step-2" / "model.safetensors").write_bytes(b"of a start before")
    train(made)
    assert read_weights(made.points / "step-2")
    assert [path.name for path in made.points.iterdir()] == ["step-2"]


@pytest.mark.parametrize("merge", [True, False])
def test_an_adapter_is_kept_as_it_is_handed_out_and_goes_on_learning(points, base, merge):
    from cotdistill.training.worker.worker import train

    student = {"kind": "lora", "model": base, "lora_rank": 2, "merge": merge}
    arguments = {"max_steps": 4, "optim": "adamw_torch", "learning_rate": 1e-2}
    made = {}
    for name, kept in (("kept", True), ("plain", False)):
        made[name] = points(f"{name}-{merge}", kept=kept, **arguments).model_copy(update={"student": student})
        train(made[name])
    point, output = made["kept"].points / "step-2", made["kept"].output
    assert {path.name for path in point.iterdir()} == {path.name for path in output.iterdir()}
    weights = "adapter/adapter_model.safetensors" if merge else "adapter_model.safetensors"
    assert (output / weights).read_bytes() == (made["plain"].output / weights).read_bytes()
    assert (output / weights).read_bytes() != (point / weights).read_bytes()
