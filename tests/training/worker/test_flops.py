"""Tokens counted on the way, and what steps of a model cost."""

import pytest

from cotdistill import registry
from tests.support.tiny_student import SIZES


@pytest.fixture(scope="module")
def model(base):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base)


def test_tokens_and_pairs_are_those_of_the_rows_however_they_lie(model):
    import torch

    from cotdistill.training.worker.flops import tokens_and_pairs

    lengths = (3, 5)
    expected = (8, sum(n * (n + 1) // 2 for n in lengths))
    ids = torch.zeros(2, 8, dtype=torch.long)
    mask = torch.tensor([[1] * n + [0] * (8 - n) for n in lengths])
    positions = torch.tensor([[*range(3), *range(5)]])
    for found in (
        tokens_and_pairs(ids, mask, None),
        tokens_and_pairs(ids[:1], None, positions),
        tokens_and_pairs(ids[:1], torch.ones(1, 8), positions),
    ):
        assert tuple(map(int, found)) == expected
    assert tuple(map(int, tokens_and_pairs(ids, None, None))) == (16, 72)


def test_training_forwards_are_counted_and_others_are_not(model):
    import torch

    from cotdistill.training.worker.flops import TokenCount

    count = TokenCount(model)
    ids = torch.zeros(1, 4, dtype=torch.long)
    for is_training in (True, False, True):
        model.train(is_training)
        model(input_ids=ids)
    assert count.take() == (8, 20)
    assert count.take() == (0, 0)


def test_flops_are_those_that_torch_counts(base):
    """Torch counts a matrix product of a training step, whatever the model is; its attention is not causal."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModelForCausalLM

    from cotdistill.training.worker.flops import FlopModel, Work

    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager")
    tokens = 64
    with FlopCounterMode(display=False) as counter:
        # The embedding is the input's lookup: its gradient is none of a matrix product, as a first layer's input has.
        model(input_ids=torch.zeros(1, tokens, dtype=torch.long)).logits.sum().backward()
    work = Work(tokens, pairs=tokens * tokens, supervised=tokens)
    assert FlopModel(model).flops(work) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_weights_that_do_not_learn_cost_two_thirds(base):
    from transformers import AutoModelForCausalLM

    from cotdistill.training.worker.flops import FlopModel

    model = AutoModelForCausalLM.from_pretrained(base)
    whole = FlopModel(model).per_token
    for weight in model.parameters():
        weight.requires_grad = False
    assert FlopModel(model).per_token * 3 == whole * 2


def test_nothing_is_claimed_of_models_that_choose_weights_by_token(tokenizer_folder, tmp_path):
    from cotdistill.training.worker.flops import FlopModel, Work

    config = SIZES | {"model_type": "qwen2_moe", "num_experts": 4, "moe_intermediate_size": 16}
    student = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=config)
    assert FlopModel(student.load(student.base(tmp_path, seed=1))).flops(Work(1, 1, 1)) is None


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA H20", 148e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA A800-SXM4-80GB", 312e12),
        ("NVIDIA H100 NVL", 835e12),
        ("NVIDIA B200", 2250e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA H200 NVL", None),
        ("NVIDIA H800 PCIe", None),
        ("NVIDIA GH200 480GB", None),
        ("NVIDIA GB200", None),
        ("NVIDIA A10G", None),
        ("NVIDIA L4", None),
        ("Ascend910B3", None),
        ("", None),
    ],
)
def test_the_peak_is_that_of_the_device(name, peak):
    from cotdistill.training.worker.flops import peak_flops

    assert peak_flops(name) == peak
