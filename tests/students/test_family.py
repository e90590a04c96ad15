"""One test over all student kinds: what they learn by, what they learn from, and how they are asked."""

import json
import re

import pytest

from cotdistill.errors import UserError
from cotdistill.losses import IGNORED
from cotdistill.registry import kinds, make
from tests.support.token_rows import answer_row

NAMED = {"model": "owner/name"}
OPTIONS = {"demo": {"base_steps": 0}, "full": NAMED, "lora": NAMED, "seq2seq": NAMED}
"""An example of every kind."""


@pytest.fixture(params=sorted(kinds("students")))
def student(request):
    return make("students", request.param, **OPTIONS[request.param])


def test_what_can_be_known_before_a_run_is_well(student):
    student.check()


def test_it_names_a_trainer_of_transformers(student):
    from transformers import Trainer

    assert issubclass(student.trainer_class(), Trainer)


ROWS = [answer_row([9, 5, 9], 1, "a/0"), answer_row([1, 2, 3, 4, 5, 6, 7, 8, 9], 8, "b/1")]


def test_padding_is_masked_by_length_and_never_supervised(student):
    batch = student.collator(9)(ROWS)
    supervised = [[token for token in labels if token != IGNORED] for labels in batch["labels"].tolist()]
    assert supervised == [[5, 9], [9]]
    assert batch["ids"] == ("a/0", "b/1")
    if "decoder_input_ids" in batch:
        assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, 8)
        assert batch["attention_mask"].sum(1).tolist() == [1, 8]
        assert batch["input_ids"][1].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert batch["decoder_input_ids"].tolist() == [[9, 5, 9, 9, 9, 9, 9, 9], [9] * 8]
        assert batch["labels"][0].tolist() == [IGNORED, 5, 9] + [IGNORED] * 5
        return
    assert batch["input_ids"].shape == (2, 16)
    assert batch["attention_mask"].sum(1).tolist() == [3, 9]
    assert batch["labels"][0].tolist() == [IGNORED, 5, 9] + [IGNORED] * 13
    assert batch["labels"][1].tolist() == [IGNORED] * 8 + [9] + [IGNORED] * 7


def test_a_batch_has_weights_where_its_rows_have(student):
    assert "weights" not in student.collator(9)(ROWS)
    weighed = [row._replace(weights=[0.0] + [0.5] * (len(row.input_ids) - 1)) for row in ROWS]
    weights = student.collator(9)(weighed)["weights"]
    places = weights.shape[1]
    assert weights[0].tolist() == [0, 0.5, 0.5] + [0] * (places - 3)
    assert weights[1][1].item() == 0.5, "the answer's first token, or the second of the prompt"


def test_a_row_that_fills_a_step_up_is_no_answer(student):
    batch = student.collator(9)([ROWS[1]._replace(parts=bytes(9))])
    assert (batch["labels"] == IGNORED).all()


def test_trained_weights_are_asked_on_this_machine(student):
    sampler = student.sampler("owner/trained", batch_size=3)
    assert (sampler.model, sampler.batch_size, sampler.identity) == ("owner/trained", 3, "owner/trained")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "no/such/folder"}, "student.model: no such folder: no/such/folder"),
        ({"model": "owner/name", "config": {"hidden_size": 8}}, "student.config: is for `init: random`"),
    ],
)
def test_what_makes_no_student_is_known_before_a_run(options, message):
    with pytest.raises(UserError, match=message):
        make("students", "full", **options).check()


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("full", {"is_encoder_decoder": True}, "is an encoder-decoder (`kind: seq2seq` trains it)"),
        ("lora", {"is_encoder_decoder": True}, "is an encoder-decoder (`kind: seq2seq` trains it)"),
        ("seq2seq", {"model_type": "qwen2"}, "is no encoder-decoder (`kind: full` or `lora` trains it)"),
        ("seq2seq", [], "config.json: does not say `model_type`"),
    ],
)
def test_a_model_of_the_other_make_is_known_before_a_run(tmp_path, kind, config, message):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"student.model: {tmp_path}.*{re.escape(message)}"):
        make("students", kind, model=str(tmp_path)).check()


@pytest.mark.parametrize("kind", ["full", "lora", "seq2seq"])
def test_an_adapter_is_no_model_to_start_from(tmp_path, kind):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match=r"student.model: .* is an adapter, no model \(train with `merge: true`"):
        make("students", kind, model=str(tmp_path)).check()
