"""Tokens that a student is given beside its own."""

import pytest

from cotdistill import registry
from cotdistill.records import Conversation, Message
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.new_tokens import add_tokens
from cotdistill.training.prepare.tokens import load_tokenizer
from tests.support.tiny_student import SIZES
from tests.support.training import start_training
from tests.support.weights import read_weights

THINKING = "<think>", "</think>"


def thoughts(count):
    return [
        Conversation(
            id=f"p{n}",
            messages=(
                Message(role="user", content=f"What is {n} + 7?"),
                Message(role="assistant", content=f"<think>{n} + 7 is {n + 7}</think>The answer is {n + 7}."),
            ),
        )
        for n in range(count)
    ]


@pytest.fixture
def make_base(tokenizer_folder, tmp_path):
    """An untrained student: `make_base(rows of its embeddings, is_tied)`."""

    def make(rows, *, is_tied):
        config = SIZES | {"vocab_size": rows, "tie_word_embeddings": is_tied}
        made = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=config)
        return made.base(tmp_path / "base", seed=1)

    return make


@pytest.mark.parametrize("is_tied", [True, False])
@pytest.mark.parametrize(("rows", "rows_after"), [(0, 320), (320, 320), (400, 400)])
def test_a_new_token_starts_as_the_mean_of_its_pieces(make_base, rows, rows_after, is_tied):
    base = make_base(rows, is_tied=is_tied)
    tokenizer = load_tokenizer(base, template=None)
    before = {text: tokenizer.encode(text, add_special_tokens=False) for text in THINKING}
    new = add_tokens(tokenizer, ["<think>", "<|im_start|>", "</think>"])
    assert [list(token.pieces) for token in new] == [before[text] for text in THINKING]
    assert tokenizer.encode("<think>a</think>", add_special_tokens=False)[::2] == [token.id for token in new]
    assert tokenizer.decode([token.id for token in new], skip_special_tokens=True) == "<think></think>"
    plain = registry.make("students", "full", model=base)
    old, model = plain.load(base).state_dict(), plain.load(base, new_tokens=new)
    assert max(token.id for token in new) < rows_after == model.config.vocab_size
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        table = model.state_dict()[name]
        assert len(table) == rows_after
        for token in new:
            assert table[token.id].allclose(old[name][list(token.pieces)].mean(0), atol=1e-7)
        known = [n for n in range(len(old[name])) if n not in {token.id for token in new}]
        assert table[known].equal(old[name][known])
    assert (model.lm_head.weight is model.model.embed_tokens.weight) is is_tied


def test_nothing_is_added_where_nothing_is_new(tokenizer_folder):
    tokenizer = load_tokenizer(str(tokenizer_folder), template=None)
    size = len(tokenizer)
    assert add_tokens(tokenizer, []) == add_tokens(tokenizer, ["<|im_start|>"]) == ()
    assert len(tokenizer) == size


OPTIONS = {"max_steps": 2, "learning_rate": 1e-2, "optim": "adamw_torch", "new_special_tokens": "<think>, </think>"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", "lora"])
@pytest.mark.parametrize(("rows", "is_tied"), [(0, True), (400, False)])
def test_the_trained_student_knows_them_and_says_them(make_base, tmp_path, kind, rows, is_tied):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = make_base(rows, is_tied=is_tied)
    student = registry.kinds("students")[kind].options.model_validate({"kind": kind, "model": base})
    output = start_training(tmp_path, thoughts(8), OPTIONS, base=base, student=student).checkpoint
    model, tokenizer = AutoModelForCausalLM.from_pretrained(output), AutoTokenizer.from_pretrained(output)
    ids = tokenizer.convert_tokens_to_ids(list(THINKING))
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think></think>"
    table = read_weights(output)["model.embed_tokens.weight"]
    assert len(table) == model.config.vocab_size == max(rows, 320)
    assert ("lm_head.weight" in read_weights(output)) is not is_tied
    mean = read_weights(base)["model.embed_tokens.weight"][
        AutoTokenizer.from_pretrained(base).encode("<think>", add_special_tokens=False)
    ].mean(0)
    assert not torch.allclose(table[ids[0]], mean, atol=1e-4), "it has learned"


@pytest.mark.slow
def test_an_adapter_with_new_tokens_answers_by_itself(make_base, tmp_path):
    from cotdistill import adapters

    base = make_base(0, is_tied=True)
    options = {"kind": "lora", "model": base, "merge": False}
    student = registry.kinds("students")["lora"].options.model_validate(options)
    output = start_training(tmp_path, thoughts(8), OPTIONS, base=base, student=student).checkpoint
    assert adapters.merged(output).get_input_embeddings().num_embeddings == 320


@pytest.mark.parametrize("written", ["<think>, </think>", ["<think>", "</think>"]])
def test_they_are_part_of_the_key(written):
    options = TrainOptions.model_validate({"new_special_tokens": written})
    assert options.key_options()["new_special_tokens"] == ["<think>", "</think>"]
    assert TrainOptions.model_validate({"new_special_tokens": None}).new_special_tokens == ()
    assert "new_special_tokens" not in options.trainer_arguments()
    with pytest.raises(ValueError, match="at least 1 character"):
        TrainOptions.model_validate({"new_special_tokens": "<think>,"})
