"""Adapters and encoder-decoders are asked too; an answer that was stored is that of the same weights."""

from pathlib import Path

import pytest

from cotdistill import adapters
from cotdistill.data import open_catalog
from cotdistill.errors import UserError
from cotdistill.scoring.harness.options import HarnessOptions
from tests.support.harness import write_registry
from tests.support.tiny_t5 import make_t5

pytest.importorskip("lm_eval")

pytestmark = pytest.mark.slow

OPTIONS = HarnessOptions(num_fewshot=0, max_gen_toks=8)


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    from cotdistill.scoring.harness.local_data import open_exam

    place = tmp_path_factory.mktemp("place")
    write_registry(place)
    return open_exam(["gsm8k"], open_catalog([place]), OPTIONS)


def answers(exam, model, *, folder=None, fingerprint="weights"):
    from cotdistill.scoring.harness.ask import Student, ask

    student = Student(str(model), fingerprint, batch_size=2, device="cpu")
    samples = ask(exam, student, OPTIONS, limit=3, folder=folder).samples["gsm8k"]
    return [sample["resps"] for sample in samples]


@pytest.fixture(scope="module")
def adapter(base, tmp_path_factory):
    """An adapter that changes what its base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("adapter")
    model = AutoModelForCausalLM.from_pretrained(base)
    learning = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, weights in learning.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, std=2.0)
    learning.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def test_an_adapter_answers_as_its_merged_model(exam, adapter, base, tmp_path):
    from transformers import AutoTokenizer

    adapters.merged(adapter).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path)
    said = answers(exam, adapter)
    assert said == answers(exam, tmp_path)
    assert said != answers(exam, base)


def test_an_encoder_decoder_is_asked(exam, tmp_path):
    said = answers(exam, Path(make_t5(tmp_path)))
    assert len(said) == 2 * 3


def test_stored_answers_of_other_weights_are_not_used(exam, adapter, base, tmp_path):
    first = answers(exam, base, folder=tmp_path, fingerprint="base")
    # lm-eval's own key of an answer is the prompt alone.
    assert answers(exam, adapter, folder=tmp_path, fingerprint="adapter") != first
    assert answers(exam, adapter, folder=tmp_path, fingerprint="base") == first


def test_an_answer_that_the_context_cannot_hold_is_refused_in_one_line(exam, base):
    from cotdistill.scoring.harness.ask import Student, ask

    options = HarnessOptions(num_fewshot=0, max_gen_toks=4096)
    with pytest.raises(
        UserError, match=r"max_gen_toks: `gsm8k` asks for 4096 tokens, and the model's context holds 4096"
    ):
        ask(exam, Student(str(base), "weights", device="cpu"), options, limit=1, folder=None)
