"""Rows that leave their batch at their end, and others that take their places."""

import pytest
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from cotdistill.records import Sampling
from cotdistill.samplers import _generation
from cotdistill.samplers._asks import Ask
from cotdistill.samplers._endings import Endings
from cotdistill.samplers._generation import Batch, has_plain_cache

WORDS = 50
SMALL = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.6,
}
LOCAL = [[["global", "local"], 1]]
NO_END = Endings(None, frozenset())  # type: ignore[arg-type]  # without stop texts nothing is decoded


def _plain() -> list:
    """Return models whose past is keys and values, of different positions and numbers of heads."""
    gpt2 = GPT2Config(vocab_size=WORDS, n_embd=32, n_layer=2, n_head=4, initializer_range=0.6)
    makes = [
        lambda: Qwen2ForCausalLM(Qwen2Config(**SMALL, num_key_value_heads=2)),
        lambda: LlamaForCausalLM(LlamaConfig(**SMALL, num_key_value_heads=4)),
        lambda: GPT2LMHeadModel(gpt2),
    ]
    models = []
    for make in makes:
        torch.manual_seed(5)
        models.append(make().eval())
    return models


def _asks(limits: list[int], **sampling) -> list[Ask]:
    prompts = [[(7 * n + k) % WORDS for k in range(1 + 3 * (n % 4))] for n in range(len(limits))]
    return [
        Ask(n, p, [], limit, Sampling(**sampling), n) for n, (p, limit) in enumerate(zip(prompts, limits, strict=True))
    ]


def _answers(batch: Batch, asks: list[Ask]) -> dict[int, list[int]]:
    """Answer as a worker does: rows join where there is room."""
    waiting, found = list(asks), {}
    while waiting or batch.rows:
        joining, waiting = waiting[: batch.room], waiting[batch.room :]
        batch.add(joining)
        found |= {said.number: said.tokens for said in batch.step()}
    return found


def _generated(model, ask: Ask) -> list[int]:
    ids = torch.tensor([ask.prompt])
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=ask.limit,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=None,
    )
    return output[0, len(ask.prompt) :].tolist()


@pytest.mark.parametrize("model", _plain(), ids=lambda model: model.config.model_type)
def test_answers_are_those_of_generate_one_by_one_whoever_joins_and_leaves(model):
    asks = _asks([3, 25, 9, 1, 14, 30, 2, 8, 17])
    expected = {ask.number: _generated(model, ask) for ask in asks}
    assert len({str(answer[:3]) for answer in expected.values()}) > 4
    for size in (1, 4, 9):
        assert _answers(Batch(model, NO_END, size), asks) == expected


def test_slots_grow_past_the_columns_that_they_began_with(monkeypatch):
    monkeypatch.setattr("cotdistill.samplers._slots.COLUMNS", 8)
    model = _plain()[0]
    asks = _asks([40, 5, 33])
    assert _answers(Batch(model, NO_END, 2), asks) == {ask.number: _generated(model, ask) for ask in asks}


def test_prompts_are_read_in_parts_and_a_repeated_one_once(monkeypatch):
    model = _plain()[0]
    read = []
    model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    monkeypatch.setattr(_generation, "READ_TOKENS", 20)
    asks = [Ask(n, [1, 2, 3, 4, 5, 6, 7, 8, n % 3], [], 6, Sampling(), n) for n in range(9)]
    batch = Batch(model, NO_END, 9)
    batch.add(asks)
    assert read == [(2, 8), (1, 8)]
    found = _answers(batch, [])
    assert [found[n] for n in range(3)] == [found[n] for n in range(3, 6)] == [found[n] for n in range(6, 9)]
    assert found[0] == _generated(model, asks[0])


def test_a_row_that_nobody_waits_for_leaves():
    model = _plain()[0]
    asks = _asks([12, 12, 12])
    batch = Batch(model, NO_END, 3)
    batch.add(asks)
    batch.step()
    batch.drop({0})
    assert {row.ask.number for row in batch.rows} == {1, 2}
    assert _answers(batch, []) == {n: _generated(model, asks[n]) for n in (1, 2)}


def test_drawn_rows_do_not_depend_on_their_company():
    model = _plain()[0]
    drawn = _asks([15] * 4, temperature=1.0, top_p=0.9)
    mixed = [*drawn[:2], *(Ask(9 + n, ask.prompt, [], 5, Sampling(), 0) for n, ask in enumerate(drawn)), *drawn[2:]]
    alone = {ask.number: _answers(Batch(model, NO_END, 1), [ask])[ask.number] for ask in mixed}
    assert _answers(Batch(model, NO_END, 5), mixed) == alone
    assert alone[9] == _generated(model, mixed[2])


def test_a_past_that_is_not_the_keys_and_values_of_all_tokens_is_left_to_generate(tmp_path):
    from tests.support.tiny_t5 import make_t5

    assert all(has_plain_cache(model) for model in _plain())
    windows = MistralConfig(**SMALL, num_key_value_heads=4, sliding_window=8)
    state = MambaConfig(vocab_size=WORDS, hidden_size=32, num_hidden_layers=1, state_size=4)
    assert not has_plain_cache(MistralForCausalLM(windows))
    assert not has_plain_cache(MambaForCausalLM(state))
    local = GPTNeoConfig(vocab_size=WORDS, hidden_size=32, num_layers=2, num_heads=4, attention_types=LOCAL)
    assert not has_plain_cache(GPTNeoForCausalLM(local))

    assert not has_plain_cache(AutoModelForSeq2SeqLM.from_pretrained(make_t5(tmp_path)))


def test_code_that_comes_with_a_model_is_left_to_generate():
    class Foreign(Qwen2ForCausalLM):
        """A class of another module."""

    assert not has_plain_cache(Foreign(Qwen2Config(**SMALL, num_key_value_heads=2)))
