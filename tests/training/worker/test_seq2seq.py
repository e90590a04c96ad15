"""Encoder-decoders: what a row is, what the loss is, and that one learns."""

import asyncio
import json

import pytest

from cotdistill import registry
from cotdistill.errors import UserError
from cotdistill.records import Message, Problem, Sampling
from cotdistill.samplers import Request, SendGate
from cotdistill.training.prepare.seq2seq_tokens import encoder_of
from cotdistill.training.prepare.tokenfile import write_rows
from cotdistill.training.prepare.tokens import load_tokenizer
from tests.support.tiny_t5 import copies, make_t5
from tests.support.token_rows import answer_of, prompt_of


@pytest.fixture
def t5_job(job, tmp_path):
    """A job of a T5: `t5_job(rows, arguments…)`."""

    def make(rows, *, is_tied=True, **arguments):
        base = make_t5(tmp_path / "t5", is_tied=is_tied)
        made = job("t5", **arguments)
        tokenizer = load_tokenizer(base, template=None)
        encoder = encoder_of(tokenizer)
        write_rows(encoder.encode(rows), made.tokens)
        tokenizer.save_pretrained(made.tokenizer)
        stop = {"stop_ids": encoder.stop_ids, "pad_id": encoder.pad_id}
        return made.model_copy(update={"base": base, "student": {"kind": "seq2seq", "model": base}} | stop)

    return make


def _answers(model, rows, *, num_beams):
    async def ask():
        async with registry.make("samplers", "local", model=str(model)).session(SendGate()) as draw:
            sampling = Sampling(max_tokens=8, temperature=0, num_beams=num_beams)
            requests = [Request(Problem(id=row.id, question="q"), row.prompt, sampling, 0) for row in rows]
            return await asyncio.gather(*map(draw, requests))

    return [reply.response["choices"][0] for reply in asyncio.run(ask())]


@pytest.mark.parametrize("is_tied", [True, False])
def test_the_loss_is_transformers_own_per_token(t5_job, is_tied):
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from cotdistill.training.worker.worker import train

    rows = copies()[0][:6]
    made = t5_job(rows, is_tied=is_tied, per_device_train_batch_size=3, gradient_accumulation_steps=2)
    train(made)
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(made.base), AutoTokenizer.from_pretrained(made.base)
    total, count = 0.0, 0
    for row in rows:
        asked, said = (tokenizer(m.content + "</s>", return_tensors="pt").input_ids for m in row.messages)
        with torch.no_grad():
            total += model(input_ids=asked, labels=said).loss.item() * said.numel()
        count += said.numel()
    (metrics,) = map(json.loads, made.metrics.read_text().splitlines())
    assert (metrics["tokens"], metrics["loss"]) == (count, pytest.approx(total / count, rel=1e-4))


def test_an_adapter_of_a_t5_is_merged_into_its_linear_layers(t5_job):
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from cotdistill.training.worker.worker import train

    made = t5_job(copies()[0][:6], per_device_train_batch_size=3, max_steps=2, learning_rate=1e-2)
    train(made.model_copy(update={"student": {"kind": "seq2seq_lora", "model": made.base, "lora_rank": 2}}))
    before, after = (
        dict(AutoModelForSeq2SeqLM.from_pretrained(f).named_parameters()) for f in (made.base, made.output)
    )
    changed = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert changed and all(name.rpartition(".")[0].rpartition(".")[2] in LINEAR for name in changed), changed
    assert json.loads((made.output / "adapter" / "adapter_config.json").read_text())["task_type"] == "SEQ_2_SEQ_LM"


LINEAR = {"q", "k", "v", "o", "wi", "wo"}


def test_an_adapter_of_a_t5_learns_no_new_tokens(t5_job):
    from cotdistill.students import NewToken

    base = t5_job(copies()[0][:2]).base
    with pytest.raises(UserError, match="an adapter of an encoder-decoder learns no new tokens"):
        registry.make("students", "seq2seq_lora", model=base).load(base, new_tokens=[NewToken(id=20, pieces=(3,))])


@pytest.mark.slow
def test_a_t5_learns_to_copy(t5_job, request):
    import torch

    from cotdistill.training.worker.worker import train

    # Two threads wait for each other longer than such small sums take.
    threads = torch.get_num_threads()
    request.addfinalizer(lambda: torch.set_num_threads(threads))
    torch.set_num_threads(1)
    learned, held_out = copies()
    options = {"learning_rate": 5e-3, "optim": "adamw_torch", "lr_scheduler_type": "cosine", "max_grad_norm": 1.0}
    made = t5_job(learned, max_steps=300, per_device_train_batch_size=32, logging_steps=50, **options)
    train(made)
    for beams in (None, 5):
        answers = _answers(made.output, held_out, num_beams=beams)
        wanted = [row.messages[-1].content for row in held_out]
        right = sum(answer["message"]["content"] == text for answer, text in zip(answers, wanted, strict=True))
        assert right >= 0.9 * len(held_out), f"{right} of {len(held_out)} with {beams} beams"
        assert {answer["finish_reason"] for answer in answers} == {"stop"}


def test_what_an_encoder_decoder_reads_is_text(tmp_path):
    base = make_t5(tmp_path)
    tokenizer = load_tokenizer(base, template=None)
    encoder = encoder_of(tokenizer)
    (conversation,) = [row for row in copies()[0] if row.messages[1].content == "ant cat koi"]
    guarded = Message(role="user", content="solve: ant </s> cat")
    others = [conversation, conversation.model_copy(update={"messages": (guarded, conversation.messages[1])})]
    row, other = encoder.encode(others)
    text, answer = prompt_of(row), answer_of(row)
    assert tokenizer.decode(text) == "solve: ant cat koi </s>"
    assert tokenizer.decode(answer) == "ant cat koi </s>"
    assert other.input_ids.count(tokenizer.eos_token_id) == 2, "what looks like an end is none"
    assert encoder.stop_ids == [tokenizer.eos_token_id]
    with pytest.raises(UserError, match=r"train.template: .* is an encoder-decoder, which has no template"):
        load_tokenizer(base, template="qwen")
