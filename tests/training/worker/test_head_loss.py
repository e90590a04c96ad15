"""The loss inside the head's own call: the same numbers as from all logits, without all logits."""

import pytest

from cotdistill.losses import IGNORED
from cotdistill.registry import make
from tests.support.tiny_student import SIZES
from tests.support.token_rows import answer_row

torch = pytest.importorskip("torch")

VOCABULARY = 64


def _qwen2(*, tied):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(3)
    return Qwen2ForCausalLM(Qwen2Config(**SIZES | {"vocab_size": VOCABULARY, "tie_word_embeddings": tied}))


def _changed(name):
    """Return a model that changes its logits behind the head."""
    from transformers import CohereConfig, CohereForCausalLM, Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(3)
    sizes = SIZES | {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if name == "gemma2":
        config = Gemma2Config(**sizes, head_dim=16, final_logit_softcapping=2.0)
        return Gemma2ForCausalLM(config)
    return CohereForCausalLM(CohereConfig(**sizes, logit_scale=0.0625))


def _inputs():
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(VOCABULARY, (3, 16), generator=generator)
    labels = ids.clone()
    labels[0, :9] = labels[1, :4] = labels[2, :] = IGNORED
    labels[1, 12:] = IGNORED
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


SUPERVISED = 7 + 8


def _step(model, *, is_at_head, asked=None):
    """Return loss and gradients of one micro-step, as the trainer makes it."""
    from cotdistill.training.worker.head_loss import MeanLoss, bare_head

    inputs = _inputs()
    labels = inputs.pop("labels")
    mean_loss = MeanLoss(make("losses", "sft"))
    mean_loss.ids = ("a/0", "b/0", "c/0")
    model.train()
    model.zero_grad()
    if is_at_head:
        head = bare_head(model, model, inputs)
        assert head is model.lm_head
        if asked is not None:
            ask = head.forward
            head.forward = lambda hidden: asked.append(tuple(hidden.shape)) or ask(hidden)
        with mean_loss.at(head, labels):
            outputs = model(**inputs)
        assert outputs.logits.shape == ()
    else:
        outputs = model(**inputs)
    loss = mean_loss(outputs, labels, torch.tensor(SUPERVISED))
    loss.backward()
    return loss.detach(), {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("is_checkpointed", [True, False])
def test_it_is_the_loss_of_the_logits_with_the_same_gradients(tied, is_checkpointed):
    model = _qwen2(tied=tied)
    expected, gradients = _step(model, is_at_head=False)
    if is_checkpointed:
        model.gradient_checkpointing_enable()
    found, other_gradients = _step(model, is_at_head=True)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)
    assert gradients.keys() == other_gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(other_gradients[name], gradient, atol=1e-6, rtol=1e-6)


def test_the_head_sees_the_supervised_positions_alone():
    asked = []
    _step(_qwen2(tied=True), is_at_head=True, asked=asked)
    assert asked == [(SUPERVISED, SIZES["hidden_size"])]


class _Adapted(torch.nn.Linear):
    """A head of a class of its own, whose output need not be what its weight says."""


@pytest.mark.parametrize(("change", "is_plain"), [("none", True), ("class", False), ("forward", False)])
def test_a_loss_is_given_the_weights_of_a_head_that_is_a_linear_layer_and_of_no_other(change, is_plain):
    from cotdistill.training.worker.head_loss import MeanLoss

    def noted(batch):
        given.append(batch)
        return make("losses", "sft")(batch)

    given = []
    model = _qwen2(tied=False)
    if change == "class":
        model.lm_head.__class__ = _Adapted
    if change == "forward":
        ask = model.lm_head.forward
        model.lm_head.forward = lambda hidden: 1.0 * ask(hidden)
    with MeanLoss(noted).at(model.lm_head, _inputs()["labels"]):
        loss = model(input_ids=_inputs()["input_ids"]).logits
    (batch,) = given
    assert (batch.linear is not None) == is_plain
    if is_plain:
        assert batch.linear.weight_VD is model.lm_head.weight
    torch.testing.assert_close(batch.head(batch.hidden_BTD), batch.hidden_BTD @ model.lm_head.weight.T)
    assert loss.shape == ()


def test_a_step_leaves_the_head_as_it_was():
    model = _qwen2(tied=False)
    model.eval()
    inputs = _inputs()
    before = model(**inputs).logits
    _step(model, is_at_head=True)
    assert "forward" not in vars(model.lm_head)
    assert model.training, "the probe leaves the mode as it was"
    model.eval()
    assert torch.equal(model(**inputs).logits, before)
    assert model.generate(inputs["input_ids"], max_new_tokens=2).shape == (3, 18)


def test_a_step_that_fails_leaves_the_head_as_it_was():
    from cotdistill.training.worker.head_loss import MeanLoss

    def broken(batch):
        raise ZeroDivisionError

    model = _qwen2(tied=True)
    with pytest.raises(ZeroDivisionError), MeanLoss(broken).at(model.lm_head, _inputs()["labels"]):
        model(input_ids=_inputs()["input_ids"])
    assert "forward" not in vars(model.lm_head)


@pytest.mark.parametrize("name", ["gemma2", "cohere"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_that_changes_its_logits_is_known(name, dtype):
    from cotdistill.training.worker.head_loss import bare_head

    model = _changed(name).to(dtype)
    assert bare_head(model, model, _inputs()) is None
    assert "forward" not in vars(model.lm_head)


def test_a_cap_counts():
    """The reference is written out: hidden states, head, cap, cross-entropy."""
    model = _changed("gemma2")
    with torch.no_grad():
        model.lm_head.weight *= 40
    inputs = _inputs()
    loss, _ = _step(model, is_at_head=False)
    logits = model.lm_head(model.model(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state)
    capped = 2.0 * torch.tanh(logits / 2.0)
    targets = inputs["labels"][:, 1:].flatten()
    expected = torch.nn.functional.cross_entropy(capped[:, :-1].flatten(0, 1), targets)
    torch.testing.assert_close(loss, expected.detach(), atol=1e-6, rtol=1e-6)
    uncapped = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets)
    assert abs(loss - uncapped) > 0.1


@pytest.mark.parametrize("name", ["qwen2", "gemma2"])
def test_every_micro_step_is_given_the_ids_of_its_rows_at_the_head_or_not(tmp_path, name):
    from transformers import TrainingArguments

    from cotdistill.training.worker.head_loss import MeanLoss, learning_by

    given = []

    def noted(batch):
        given.append((batch.ids, batch.labels_BT[:, :5].tolist(), batch.hidden_BTD.shape[-1]))
        return make("losses", "sft")(batch)

    student = make("students", "demo")
    rows = [answer_row([n, n + 1, n + 2, n + 3, n + 4], 2, f"p{n}/0") for n in range(8)]
    settings = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "max_steps": 2, "use_cpu": True}
    learning_by(student.trainer_class())(
        model=_qwen2(tied=True) if name == "qwen2" else _changed(name),
        args=TrainingArguments(str(tmp_path), remove_unused_columns=False, report_to="none", **settings),
        train_dataset=rows,
        data_collator=student.collator(0),
        compute_loss_func=MeanLoss(noted),
    ).train()
    assert sorted(name for ids, _, _ in given for name in ids) == sorted(row.id for row in rows)
    labels = {row.id: row.labels for row in rows}
    for ids, found, width in given:
        assert [labels[name] for name in ids] == found
        assert width == (SIZES["hidden_size"] if name == "qwen2" else VOCABULARY)
