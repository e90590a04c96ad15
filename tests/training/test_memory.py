"""What a training takes, against the bytes of real tensors."""

import contextlib
from pathlib import Path

import pytest

from cotdistill import registry
from cotdistill.storage.model_folder import ModelFolder
from cotdistill.training.memory import GIB, Plan, Sizes, estimate, layer_bytes, lora_size, read_sizes

QWEN_7B = Sizes(7_615_616_512, (), 28, 3584, 18944, 512, 152_064, stored=2 * 7_615_616_512)


def _made(tokenizer_folder, folder, **config):
    sizes = {
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "tie_word_embeddings": True,
    }
    student = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=sizes | config)
    return student.base(folder, seed=1)


def _bytes(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("optim", "name"), [("adamw_torch", "AdamW"), ("sgd", "SGD")])
def test_weights_gradients_and_state_are_those_of_the_tensors(tokenizer_folder, tmp_path, tied, optim, name):
    import torch
    from transformers import AutoModelForCausalLM

    base = _made(tokenizer_folder, tmp_path, tie_word_embeddings=tied)
    model = AutoModelForCausalLM.from_pretrained(base)
    optimiser = getattr(torch.optim, name)(model.parameters(), lr=1e-3)
    model(input_ids=torch.zeros(1, 4, dtype=torch.long)).logits.sum().backward()
    optimiser.step()
    memory = estimate(read_sizes(ModelFolder(Path(base))), Plan(tokens=4, optim=optim))
    assert memory.weights == _bytes(model.parameters())
    assert memory.gradients == _bytes(weight.grad for weight in model.parameters())
    state = (value for entry in optimiser.state.values() for value in entry.values() if value is not None)
    assert memory.optimiser == _bytes(value for value in state if value.dim())


@pytest.mark.parametrize(
    ("dtype", "is_autocast", "plan"),
    [
        ("float32", False, Plan(tokens=256)),
        ("float32", True, Plan(tokens=256, is_half=True)),
        ("bfloat16", False, Plan(tokens=256, is_half=True, deepspeed={})),
    ],
)
def test_what_a_layer_keeps_is_what_autograd_saves(tokenizer_folder, tmp_path, dtype, is_autocast, plan):
    import torch
    from transformers import AutoModelForCausalLM

    kept = {}
    for layers in (2, 3):
        base = _made(tokenizer_folder, tmp_path, num_hidden_layers=layers)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype)).train()
        weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
        shapes = {tuple(weight.shape) for weight in model.parameters()}
        saved = {}

        def note(tensor, saved=saved, weights=weights, shapes=shapes):
            storage = tensor.untyped_storage()
            # Copies of the weights that autocast keeps are no activations.
            if storage.data_ptr() not in weights and {tuple(tensor.shape), tuple(tensor.shape[::-1])}.isdisjoint(
                shapes
            ):
                saved[storage.data_ptr()] = storage.nbytes(), tensor
            return tensor

        half = torch.autocast("cpu", torch.bfloat16) if is_autocast else contextlib.nullcontext()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), half:
            model.model(input_ids=torch.zeros(1, plan.tokens, dtype=torch.long))
        kept[layers] = sum(size for size, _ in saved.values())
    _, whole = layer_bytes(read_sizes(ModelFolder(Path(base))), plan)
    assert (kept[3] - kept[2]) / plan.tokens == pytest.approx(whole, rel=0.02)


def test_low_rank_matrices_are_those_of_peft(tokenizer_folder, tmp_path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = _made(tokenizer_folder, tmp_path)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules="all-linear"))
    learning = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert lora_size(read_sizes(ModelFolder(Path(base))), 4) == learning


def test_a_7b_is_as_it_was_measured_and_as_zero_shares_it():
    bf16 = Plan(tokens=4096, is_half=True, deepspeed={"zero_optimization": {"stage": 2}}, devices=8)
    assert layer_bytes(QWEN_7B, bf16)[1] == pytest.approx(226e3, rel=0.01)
    two, three = (
        estimate(QWEN_7B, bf16),
        estimate(QWEN_7B, bf16._replace(deepspeed={"zero_optimization": {"stage": 3}})),
    )
    n = QWEN_7B.weights
    assert two[:3] == (2 * n, 2 * n / 8, 12 * n / 8)
    assert three[:3] == (2 * n / 8, 2 * n / 8, 12 * n / 8)
    assert estimate(QWEN_7B, bf16._replace(is_checkpointed=True)).activations < two.activations / 10
    away = {"zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu"}}}
    assert estimate(QWEN_7B, bf16._replace(deepspeed=away)).optimiser == 0
    assert three.total < 60 * GIB
