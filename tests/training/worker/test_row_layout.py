"""How rows lie in a batch: the same weights, told once, and refused where it cannot be as asked."""

import json
import logging
import re

import pytest

from cotdistill import registry
from cotdistill.errors import Interrupted, UserError
from tests.support.tiny_student import SIZES
from tests.support.weights import assert_same_weights, read_weights

torch = pytest.importorskip("torch")


def _tokens(job) -> int:
    return json.loads(job.metrics.read_text().splitlines()[-1])["tokens"]


@pytest.fixture
def gemma2(job, tokenizer_folder, tmp_path):
    """A job whose student needs padded rows: `gemma2(flash_attn="fa2")`."""

    def make(**changes):
        config = SIZES | {"model_type": "gemma2", "head_dim": 16}
        student = registry.make("students", "full", model=str(tokenizer_folder), init="random", config=config)
        base = student.base(tmp_path / "gemma2", seed=1)
        return job("padded").model_copy(update={"base": base, **changes})

    return make


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flash_attn": "fa2"}, "rows lie end to end"),
        ({"flash_attn": "sdpa"}, "rows are padded and masked: `flash_attn: sdpa`"),
        ({"flash_attn": "disabled"}, "rows are padded and masked: `flash_attn: disabled`"),
        ({"bin_tokens": 200}, r"12 rows are packed into 3 bins of 200 tokens, \d\d.\d % full"),
    ],
)
def test_however_rows_lie_the_same_is_learned(job, caplog, changes, said):
    from cotdistill.training.worker.worker import train

    caplog.set_level(logging.INFO)
    plain, other = (job(name, per_device_train_batch_size=12) for name in "ab")
    train(plain)
    other = other.model_copy(update=changes)
    caplog.clear()
    train(other)
    assert re.search(said, caplog.text)
    assert _tokens(plain) == _tokens(other)
    assert_same_weights(plain.output, other.output, tolerance=2e-6)


def test_many_short_rows_are_padded_on_a_cpu_unless_asked_otherwise(job, caplog):
    from cotdistill.training.worker.worker import train

    caplog.set_level(logging.INFO)
    made = job(per_device_train_batch_size=16)
    train(made)
    assert "rows are padded and masked: they are short" in caplog.text
    caplog.clear()
    train(job("b", per_device_train_batch_size=16).model_copy(update={"flash_attn": "fa2"}))
    assert "rows lie end to end" in caplog.text


def test_rows_lie_end_to_end_in_bfloat16_too(job):
    """Autocast hands logits in float32 out that were computed in bfloat16: two kernels differ in their third digit."""
    from cotdistill.training.worker.worker import train

    made = job(bf16=True)
    train(made)
    assert _tokens(made)


def test_a_model_that_needs_padding_has_it_and_the_log_says_why_once(gemma2, caplog):
    from cotdistill.training.worker.worker import train

    caplog.set_level(logging.INFO)
    train(gemma2())
    assert caplog.text.count("rows are padded and masked: Gemma2ForCausalLM: it has layers with a sliding window") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"bin_tokens": 200},
            "train.packing: rows of Gemma2ForCausalLM cannot be packed: it has layers with a sliding",
        ),
        ({"flash_attn": "fa2"}, r"train.flash_attn: Gemma2ForCausalLM needs padded rows: .* \(write `auto`\)"),
    ],
)
def test_what_a_model_cannot_do_is_refused(gemma2, changes, message):
    from cotdistill.training.worker.worker import train

    with pytest.raises(UserError, match=message):
        train(gemma2(**changes))


def test_rows_that_see_each_other_stop_the_training_before_its_first_step(job, monkeypatch):
    from cotdistill.students import _attention
    from cotdistill.training.worker.worker import train

    attend = _attention.attend_rows_apart

    def careless(*states, cu_seq_lens_q=None, **others):
        return attend(*states, **others)

    monkeypatch.setattr(_attention, "attend_rows_apart", careless)
    made = job()
    with pytest.raises(UserError, match=r"Qwen2ForCausalLM does not keep rows apart .*`flash_attn: sdpa` trains it"):
        train(made)
    assert not made.metrics.read_text()


def test_packed_rows_that_a_stop_left_are_dealt_as_they_would_have_been(job):
    from cotdistill.training.worker.worker import train

    options = {"max_steps": 5, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 2}
    straight, stopped = (job(n, **options).model_copy(update={"bin_tokens": 100, "key": "one"}) for n in "ab")
    train(straight)
    stopped.stop.touch()
    with pytest.raises(Interrupted, match="saved after step 1"):
        train(stopped)
    stopped.stop.unlink()
    train(stopped)
    first, second = read_weights(straight.output), read_weights(stopped.output)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert straight.metrics.read_text().count("\n") == stopped.metrics.read_text().count("\n") == 5
    assert _tokens(straight) == _tokens(stopped)
