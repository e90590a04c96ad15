"""Gradient checkpointing: as the recipe says, or by the size of the model."""

import pytest

from tests.support.tiny_student import SIZES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"gradient_checkpointing": "auto"}, None),
        ({"gradient_checkpointing": True}, True),
        ({"gradient_checkpointing": False}, False),
        ({"gradient_checkpointing": "auto", "activation_checkpointing": True}, True),
        ({"gradient_checkpointing": "auto", "activation_checkpointing": False}, False),
        ({}, False),
    ],
)
def test_transformers_older_name_is_read_and_auto_leaves_it_open(job, arguments, said):
    from cotdistill.training.worker.recomputing import asks_for_recomputing

    assert asks_for_recomputing(job(**arguments)) is said


@pytest.mark.parametrize(("layers", "has_device", "is_on"), [(1, True, False), (12, True, True), (12, False, False)])
def test_auto_is_on_above_a_billion_parameters_on_an_accelerator(job, tmp_path, monkeypatch, layers, has_device, is_on):
    from transformers import Qwen2Config, Qwen2ForCausalLM, TrainingArguments

    from cotdistill.training.worker.recomputing import choose_recomputing

    monkeypatch.setattr(torch.accelerator, "is_available", lambda: has_device)
    sizes = {"hidden_size": 2048, "intermediate_size": 12288, "num_hidden_layers": layers, "num_attention_heads": 16}
    with torch.device("meta"):
        model = Qwen2ForCausalLM(Qwen2Config(**SIZES | sizes | {"vocab_size": 1000}))
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
    choose_recomputing(job(gradient_checkpointing="auto"), arguments, model)
    assert arguments.activation_checkpointing is is_on
