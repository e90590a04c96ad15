"""Rows that lie end to end: the numbers of each row alone, or a model that says why it needs padding."""

import pytest

from cotdistill.losses import IGNORED, LossBatch
from cotdistill.registry import make
from cotdistill.students import NeedsPadding
from tests.support.tiny_student import SIZES
from tests.support.token_rows import answer_row

torch = pytest.importorskip("torch")

VOCABULARY = 64
SHAPE = SIZES | {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "pad_token_id": 0, "eos_token_id": 2}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "bos_token_id": 1}


def _model(model_type, **changes):
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = GPT2 | {"eos_token_id": 2} if model_type == "gpt2" else SHAPE
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes | changes))
    with torch.no_grad():  # attention that random weights leave flat
        for weights in model.parameters():
            weights.mul_(4)
    return model


def _rows():
    generator = torch.Generator().manual_seed(5)
    ids = [torch.randint(VOCABULARY, (length,), generator=generator).tolist() for length in (5, 1, 17, 2)]
    return [answer_row(tokens, min(2, len(tokens)), f"p{n}/0") for n, tokens in enumerate(ids)]


def _collator(model):
    return make("students", "full", model="owner/name").end_to_end_collator(model)


def _loss(model, batch):
    """Return the summed loss of a batch and the gradients."""
    labels, ids = batch["labels"], batch["ids"]
    model.zero_grad()
    given = {name: value for name, value in batch.items() if name not in ("labels", "ids")}
    logits = model(**given).logits
    loss = make("losses", "sft")(LossBatch(logits, lambda x: x, labels, ids))
    loss.backward()
    return loss.detach(), logits.detach(), {name: w.grad.clone() for name, w in model.named_parameters()}


@pytest.mark.parametrize("model_type", ["qwen2", "llama", "qwen3", "gpt2"])
@pytest.mark.parametrize("is_checkpointed", [False, True])
def test_logits_loss_and_gradients_are_those_of_each_row_alone(model_type, is_checkpointed):
    model = _model(model_type).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    rows = _rows()
    alone = [_loss(model, make("students", "full", model="owner/name").collator(0)([row])) for row in rows]
    collator = _collator(model)
    if is_checkpointed:
        model.activation_checkpointing_enable()
    loss, logits, gradients = _loss(model, collator(rows))
    close = {"atol": 2e-5, "rtol": 1e-4}
    torch.testing.assert_close(loss, sum(part for part, _, _ in alone), **close)
    expected = torch.cat([part[0, : len(row.input_ids)] for (_, part, _), row in zip(alone, rows, strict=True)])
    torch.testing.assert_close(logits[0], expected, **close)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, sum(part[name] for _, _, part in alone), atol=2e-4, rtol=1e-3)


def test_a_batch_is_one_row_whose_first_tokens_are_never_supervised():
    batch = _collator(_model("qwen2"))([answer_row([7, 8, 9], 1, "a/0"), answer_row([5, 6], 0, "b/1")])
    assert batch["input_ids"].tolist() == [[7, 8, 9, 5, 6]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["labels"].tolist() == [[IGNORED, 8, 9, IGNORED, 6]]
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 5]
    assert batch["max_length_q"] == 3
    assert batch["ids"] == ("a/0", "b/1")
    found = LossBatch(None, None, batch["labels"], batch["ids"], positions_BT=batch["position_ids"])
    assert found.row_BT.tolist() == [[0, 0, 0, 1, 1]]
    assert LossBatch(None, None, torch.zeros(2, 3), ("a/0", "b/1")).row_BT.tolist() == [[0] * 3, [1] * 3]


def test_no_mask_is_built(monkeypatch):
    from transformers import AttentionInterface

    from cotdistill.students._attention import ROWS_APART

    model = _model("qwen2")
    collator = _collator(model)
    masks = []
    attend = AttentionInterface._global_mapping[ROWS_APART]

    def noted(module, query, key, value, attention_mask, **others):
        masks.append((attention_mask, tuple(others["cu_seq_lens_q"].tolist()), key.shape[1]))
        return attend(module, query, key, value, attention_mask, **others)

    monkeypatch.setitem(AttentionInterface._global_mapping, ROWS_APART, noted)
    _loss(model, collator(_rows()))
    assert masks == [(None, (0, 5, 6, 23, 25), 1)] * 2, "keys and values keep their one head"


@pytest.mark.parametrize(
    ("model_type", "changes", "reason"),
    [
        ("gemma2", {"head_dim": 16}, "sliding window"),
        ("gemma2", {"head_dim": 16, "layer_types": ["full_attention"] * 2}, "caps its attention"),
        ("mistral", {"sliding_window": 8}, "sliding window"),
        ("bloom", {"n_layer": 1, "n_head": 2}, "cannot be replaced"),
        ("gpt_oss", {"head_dim": 16, "num_local_experts": 2, "layer_types": ["full_attention"] * 2}, "sinks"),
    ],
)
def test_a_model_with_other_attention_says_why_it_needs_padding(model_type, changes, reason):
    with pytest.raises(NeedsPadding, match=reason):
        _collator(_model(model_type, **changes))


def test_an_encoder_decoder_and_foreign_code_need_padding():
    from transformers import Qwen2ForCausalLM, T5Config, T5ForConditionalGeneration

    class Foreign(Qwen2ForCausalLM):
        pass

    t5 = T5ForConditionalGeneration(T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
    with pytest.raises(NeedsPadding, match="encoder-decoder"):
        _collator(t5)
    with pytest.raises(NeedsPadding, match="not transformers' own"):
        _collator(Foreign(_model("qwen2").config))


def test_the_saved_config_names_no_attention_of_ours(tmp_path):
    from transformers import AutoModelForCausalLM

    model = _model("qwen2")
    _collator(model)
    model.save_pretrained(tmp_path)
    assert "rows_apart" not in (tmp_path / "config.json").read_text()
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config._attn_implementation == "sdpa"
