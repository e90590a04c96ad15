"""Students that are not all of a causal model's weights, under two processes."""

import json
import shutil

import pytest

from cotdistill import registry
from tests.support.sweep import whole
from tests.support.tiny_student import sums
from tests.support.training import start_training
from tests.support.weights import read_weights

ENGINES = [None, "examples/deepspeed/ds_z2_config.json", "examples/deepspeed/ds_z3_config.json"]
CASES = [whole(ENGINES[0], id="DDP"), pytest.param(ENGINES[1], id="ZeRO-2"), whole(ENGINES[2], id="ZeRO-3")]
QUICK = {"max_steps": 3, "learning_rate": 1e-2, "optim": "adamw_torch", "logging_steps": 1, "save_steps": 1}


def _two_processes(folder, options, **more):
    rows = {"num_processes": 2, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    return start_training(folder, sums(24), QUICK | rows | options, **more).checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("deepspeed", CASES)
def test_an_adapter_learns_in_two_processes_what_it_learns_in_one(tmp_path, base, deepspeed):
    import torch

    student = registry.kinds("students")["lora"].options.model_validate({"kind": "lora", "model": base})
    rows = {"num_processes": 1, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    one = start_training(tmp_path / "1", sums(24), QUICK | rows, base=base, student=student).checkpoint
    two = _two_processes(tmp_path / "2", {"deepspeed": deepspeed}, base=base, student=student)
    for weights in (read_weights(one), read_weights(two)):
        assert any(not torch.equal(weight, read_weights(base)[name]) for name, weight in weights.items())
    for name, weight in read_weights(one).items():
        torch.testing.assert_close(weight, read_weights(two)[name], atol=2e-4, rtol=1e-3)
    assert json.loads((two / "adapter" / "adapter_config.json").read_text())["r"] == 8


@pytest.mark.slow
@pytest.mark.parametrize("deepspeed", CASES)
def test_an_adapter_in_two_processes_goes_on_to_the_same_bit(tmp_path, base, deepspeed):
    options = {"kind": "lora", "model": base, "additional_target": "embed_tokens"}
    student = registry.kinds("students")["lora"].options.model_validate(options)
    options = {"deepspeed": deepspeed, "save_total_limit": 3}
    straight = _two_processes(tmp_path, options, base=base, student=student)
    for path in (straight.rename(tmp_path / "straight"), *tmp_path.glob("4-train/work/*/resume/checkpoint-*")):
        if path.name in ("checkpoint-2", "checkpoint-3"):
            shutil.rmtree(path)
    resumed = _two_processes(tmp_path, options, base=base, student=student)
    assert "resume/checkpoint-1" in (tmp_path / "run.log").read_text()
    for name in ("model.safetensors", "adapter/adapter_model.safetensors"):
        assert (resumed / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", whole("lora")])
def test_new_tokens_have_the_same_rows_under_zero_3(tmp_path, base, kind):
    import torch

    student = registry.kinds("students")[kind].options.model_validate({"kind": kind, "model": base})
    options = {"new_special_tokens": "The answer,Think", "deepspeed": ENGINES[-1]}
    rows = {"num_processes": 1, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "deepspeed": None}
    one = start_training(tmp_path / "1", sums(24), QUICK | options | rows, base=base, student=student).checkpoint
    two = _two_processes(tmp_path / "2", options, base=base, student=student)
    weights, others = read_weights(one), read_weights(two)
    assert len(weights["model.embed_tokens.weight"]) == 320
    for name, weight in weights.items():
        if name == "model.embed_tokens.weight":
            weight, others[name] = weight[:295], others[name][:295]  # noqa: PLW2901  # the rest fills it up to 320
        torch.testing.assert_close(weight, others[name], atol=2e-4, rtol=1e-3)
