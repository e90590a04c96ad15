"""Low-rank adapters: what learns, what is saved, and what a killed training goes on with."""

import json

import pytest

from cotdistill import adapters, registry
from cotdistill.errors import UserError
from tests.support.weights import assert_same_weights, read_weights

STEPS = {"max_steps": 4, "optim": "adamw_torch", "learning_rate": 1e-2, "per_device_train_batch_size": 3}


@pytest.fixture
def lora_job(job, base):
    """A job of an adapter: `lora_job(name, options of the student, arguments…)`."""

    def make(name="a", student=None, **arguments):
        options = {"kind": "lora", "model": base, "lora_rank": 2, **(student or {})}
        return job(name, **STEPS | arguments).model_copy(update={"student": options})

    return make


def train(job):
    from cotdistill.training.worker.worker import train

    train(job)
    return job.output


def test_a_merged_student_is_its_base_with_its_adapter(lora_job, base):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    output = train(lora_job())
    ids = torch.arange(3, 60)[None]
    start = AutoModelForCausalLM.from_pretrained(base)
    before = start(ids).logits
    with torch.no_grad():
        beside = PeftModel.from_pretrained(start, output / "adapter")(ids).logits
        merged = AutoModelForCausalLM.from_pretrained(output)(ids).logits
    torch.testing.assert_close(merged, beside, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before, beside, atol=1e-2)
    start_weights = read_weights(base)
    changed = {name for name, w in read_weights(output).items() if not torch.equal(w, start_weights[name])}
    assert {name.split(".")[-2] for name in changed} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    }


@pytest.mark.parametrize("options", [{}, {"additional_target": "embed_tokens"}])
def test_a_merged_student_has_its_bases_dtype(lora_job, base, tmp_path, options):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(tmp_path / "small")
    output = train(lora_job(student=options).model_copy(update={"base": str(tmp_path / "small")}))
    assert {weight.dtype for weight in read_weights(output).values()} == {torch.bfloat16}
    assert json.loads((output / "config.json").read_text())["dtype"] == "bfloat16"
    learned = load_file(output / "adapter" / adapters.WEIGHTS)
    assert {weight.dtype for weight in learned.values()} == {torch.float32}, "what learns is held in float32"


def test_a_student_that_is_not_merged_is_an_adapter_that_answers_by_itself(lora_job):
    import asyncio

    from cotdistill.records import Message, Problem, Sampling
    from cotdistill.samplers import Request, SendGate

    alone = train(lora_job("alone", {"merge": False}))
    whole = train(lora_job("whole"))
    assert adapters.is_adapter(alone)
    assert not adapters.is_adapter(whole)
    names = {path.name for path in alone.iterdir()}
    assert names >= {adapters.CONFIG, adapters.WEIGHTS, "generation_config.json", "tokenizer.json", "training.json"}
    assert not names & {"config.json", "model.safetensors", "README.md"}
    assert (alone / adapters.WEIGHTS).read_bytes() == (whole / "adapter" / adapters.WEIGHTS).read_bytes()

    async def ask(folder):
        sampler = registry.make("samplers", "local", model=str(folder))
        async with sampler.session(SendGate()) as draw:
            messages = (Message(role="user", content="What is 3 + 7?"),)
            request = Request(Problem(id="p", question="q"), messages, Sampling(max_tokens=20, temperature=0), 0)
            return sampler.identity, (await draw(request)).response["choices"]

    (one_identity, one), (other_identity, other) = asyncio.run(ask(alone)), asyncio.run(ask(whole))
    assert one == other
    assert one_identity != other_identity
    for folder in (alone, whole):
        assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"] == [2, 0]


WHOLE_LAYERS = {"additional_target": "embed_tokens", "use_rslora": True, "lora_dropout": 0.1}


@pytest.mark.parametrize("options", [{}, pytest.param(WHOLE_LAYERS, marks=pytest.mark.slow)])
def test_a_stopped_training_goes_on_to_the_same_bit(lora_job, options):
    from cotdistill.errors import Interrupted

    options = {"merge": False, **options}
    straight, stopped = lora_job("straight", options), lora_job("stopped", options)
    stopped.stop.touch()
    with pytest.raises(Interrupted, match="saved after step 1"):
        train(stopped)
    assert [path.name for path in stopped.checkpoints.iterdir()] == ["checkpoint-1"]
    stopped.stop.unlink()
    train(straight)
    train(stopped)
    assert (straight.output / adapters.WEIGHTS).read_bytes() == (stopped.output / adapters.WEIGHTS).read_bytes()


def test_weights_of_another_training_are_where_it_starts(lora_job):
    first = lora_job("first", {"merge": False}, save_steps=4, save_strategy="steps").model_copy(
        update={"keep_checkpoints": 1}
    )
    train(first)
    (saved,) = first.checkpoints.glob("checkpoint-4")
    second = lora_job("second", {"merge": False}, learning_rate=1e-12, max_steps=1)
    train(second.model_copy(update={"weights_from": saved}))
    assert_same_weights(second.output, first.output, tolerance=1e-7, file=adapters.WEIGHTS)


def test_recomputed_activations_change_nothing(lora_job):
    kept = train(lora_job("kept"))
    for reentrant in (False, True):
        arguments = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": reentrant}}
        assert_same_weights(kept, train(lora_job(f"recomputed-{reentrant}", **arguments)), tolerance=1e-5)


def test_layers_that_learn_whole_are_merged_as_they_are(lora_job, base):
    import torch

    student = {"lora_target": "q_proj,v_proj", "additional_target": "embed_tokens", "lora_alpha": 4, "use_dora": True}
    output = train(lora_job(student=student))
    before, after = read_weights(base), read_weights(output)
    assert before.keys() == after.keys(), "the head is still the embeddings"
    changed = {name.split(".")[-2] for name in after if not torch.equal(before[name], after[name])}
    assert changed == {"q_proj", "v_proj", "embed_tokens"}
    config = json.loads((output / "adapter" / adapters.CONFIG).read_text())
    assert (config["r"], config["lora_alpha"], config["use_dora"]) == (2, 4, True)


@pytest.mark.parametrize("key", ["lora_target", "additional_target"])
def test_a_layer_that_is_not_there_is_the_users_fault(lora_job, key):
    with pytest.raises(
        UserError, match=rf"student.{key}: the model has no layer `no_such_layer` \(its layers: .*q_proj"
    ):
        train(lora_job(student={key: "no_such_layer"}))
