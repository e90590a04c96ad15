"""One test over all student kinds: what they learn by, what they learn from, and how they are asked."""

import json
import re
from pathlib import Path

import pytest

from cotdistill.errors import UserError
from cotdistill.losses import IGNORED
from cotdistill.registry import kinds, make
from tests.support.tiny_student import student_options
from tests.support.token_rows import answer_row

NAMED = {"model": "owner/name"}
OPTIONS = {
    **{name: {"base_steps": 0} for name in ("demo", "demo_t5")},
    **dict.fromkeys(("full", "lora", "seq2seq", "seq2seq_lora"), NAMED),
}
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
        ("full", {"model_type": "t5", "is_encoder_decoder": True}, "is an encoder-decoder (`kind: seq2seq` trains it)"),
        ("lora", {"model_type": "t5", "is_encoder_decoder": True}, "is an encoder-decoder (`kind: seq2seq` trains it)"),
        ("seq2seq", {"model_type": "qwen2"}, "is no encoder-decoder (`kind: full` or `lora` trains it)"),
        ("seq2seq_lora", {"model_type": "qwen2"}, "is no encoder-decoder (`kind: full` or `lora` trains it)"),
        ("seq2seq", [], "config.json: does not say `model_type`"),
    ],
)
def test_a_model_of_the_other_make_is_known_before_a_run(tmp_path, kind, config, message):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"student.model: {tmp_path}.*{re.escape(message)}"):
        make("students", kind, model=str(tmp_path)).check()


COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize("kind", ["full", "lora", "seq2seq", "seq2seq_lora"])
@pytest.mark.parametrize("revision", [None, "main", "v1.0", COMMIT[:12], COMMIT.upper()])
def test_code_of_a_hub_runs_only_at_a_whole_commit(kind, revision):
    with pytest.raises(UserError, match=r"student.trust_remote_code: the code of owner/name runs only at a pinned"):
        make("students", kind, model="owner/name", trust_remote_code=True, revision=revision).check()
    make("students", kind, model="owner/name", trust_remote_code=True, revision=COMMIT).check()
    make("students", kind, model="owner/name", revision=revision).check()


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_code_in_a_folder_runs_and_has_no_revision_but_what_a_hub_holds_of_it_needs_one(
    tmp_path, tokenizer_folder, kind
):
    folder = Path(student_options(tokenizer_folder).build().base(tmp_path, seed=1))
    config = json.loads((folder / "config.json").read_text())
    trusting = {"model": str(folder), "trust_remote_code": True}
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Own"}}))
    make("students", kind, **trusting).check()
    with pytest.raises(UserError, match=r"student.revision: .* is a folder, which has no revisions \(remove"):
        make("students", kind, **trusting, revision=COMMIT).check()
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "owner/name--modeling.Own"}}))
    with pytest.raises(UserError, match="runs only at a pinned revision"):
        make("students", kind, **trusting).check()
    make("students", kind, **trusting, revision=COMMIT).check()


@pytest.mark.parametrize("kind", ["full", "lora", "seq2seq"])
def test_an_untrained_student_is_asked_at_the_revision_that_is_trained(kind):
    student = make("students", kind, model="owner/name", trust_remote_code=True, revision=COMMIT)
    sampler = student.sampler("owner/name", batch_size=3)
    sampler.check()
    assert sampler.identity == f"owner/name@{COMMIT}"
    assert sampler.origin == student.origin
    assert student.origin.arguments == {"trust_remote_code": True, "revision": COMMIT, "code_revision": COMMIT}


@pytest.mark.parametrize("kind", ["full", "lora", "seq2seq"])
def test_an_adapter_is_no_model_to_start_from(tmp_path, kind):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match=r"student.model: .* is an adapter, no model \(train with `merge: true`"):
        make("students", kind, model=str(tmp_path)).check()
