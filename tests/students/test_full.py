"""Full fine-tuning: what it starts from, and which weights learn."""

import json

import pytest

from cotdistill import registry
from cotdistill.errors import UserError
from tests.support.tiny_student import SIZES, make_tokenizer, student_options


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory):
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def _weights(base):
    from safetensors.torch import load_file

    return load_file(f"{base}/model.safetensors")


def test_random_weights_are_decided_by_the_seed_and_leave_the_callers_alone(tokenizer_folder, tmp_path):
    import torch

    student = student_options(tokenizer_folder).build()
    before = torch.random.get_rng_state()
    one, same, other = (student.base(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert torch.equal(torch.random.get_rng_state(), before)
    name = "model.embed_tokens.weight"
    assert torch.equal(_weights(one)[name], _weights(same)[name])
    assert not torch.equal(_weights(one)[name], _weights(other)[name])


def test_random_weights_are_made_once_and_apart_for_each_config_and_seed(tokenizer_folder, tmp_path):
    student = student_options(tokenizer_folder).build()
    base = student.base(tmp_path, seed=1)
    stamp = (tmp_path / base / "model.safetensors").stat().st_mtime_ns
    assert student.base(tmp_path, seed=1) == base
    assert (tmp_path / base / "model.safetensors").stat().st_mtime_ns == stamp
    wider = registry.make(
        "students", "full", model=str(tokenizer_folder), init="random", config=SIZES | {"intermediate_size": 128}
    )
    assert len({base, student.base(tmp_path, seed=2), wider.base(tmp_path, seed=1)}) == 3
    assert not list(tmp_path.glob("*.partial"))


def test_a_random_student_is_of_its_config_with_a_row_per_token(tokenizer_folder, tmp_path):
    from transformers import AutoTokenizer

    student = student_options(tokenizer_folder).build()
    base = student.base(tmp_path, seed=1)
    model = student.load(base)
    tokenizer = AutoTokenizer.from_pretrained(base)
    assert {name: getattr(model.config, name) for name in SIZES} == SIZES
    assert model.config.model_type == "qwen2"
    assert model.config.vocab_size == len(tokenizer)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert all(p.requires_grad for p in model.parameters())
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}


def test_a_folder_with_a_config_gives_the_architecture_and_the_recipe_changes_it(tokenizer_folder, tmp_path):
    folder = make_tokenizer(tmp_path / "model")
    config = {**SIZES, "model_type": "llama", "vocab_size": 512}
    (folder / "config.json").write_text(json.dumps(config))
    student = registry.make("students", "full", model=str(folder), init="random", config={"num_hidden_layers": 2})
    made = student.load(student.base(tmp_path, seed=1)).config
    assert (made.model_type, made.num_hidden_layers, made.hidden_size, made.vocab_size) == ("llama", 2, 32, 512)


def test_pretrained_weights_are_used_where_they_are(tokenizer_folder, tmp_path):
    base = student_options(tokenizer_folder).build().base(tmp_path, seed=1)
    student = registry.make("students", "full", model=base)
    assert student.base(tmp_path / "unused", seed=1) == base
    assert registry.make("students", "full", model="Qwen/Qwen2.5-7B").base(tmp_path, seed=1) == "Qwen/Qwen2.5-7B"
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "no/such/folder"}, "student.model: no such folder: no/such/folder"),
        ({"model": "./nowhere", "init": "random"}, r"student.model: no such folder: ./nowhere"),
        ({"model": ".", "init": "random"}, "student.model: tokenizer.json: is missing"),
        ({"model": "{tokenizer}", "init": "random", "config": {"model_type": "qwen99"}}, "student.config: .*qwen99"),
        ({"model": "{tokenizer}", "config": SIZES}, "student.config: is for `init: random`"),
    ],
)
def test_what_makes_no_student_is_the_users_fault(tokenizer_folder, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    options["model"] = options["model"].replace("{tokenizer}", str(tokenizer_folder))
    with pytest.raises(UserError, match=message):
        registry.make("students", "full", **options).base(tmp_path, seed=1)
    assert not list(tmp_path.iterdir())
