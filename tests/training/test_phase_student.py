"""A phase of a training may let another kind learn: its options are the phase's, its model that of the student."""

import pytest

from cotdistill.errors import UserError
from cotdistill.registry import kinds
from cotdistill.training.phase_student import student_in_phase


def chosen(kind, **options):
    return kinds("students")[kind].options.model_validate({"kind": kind, **options})


T5 = chosen("seq2seq", model="google/flan-t5-xl", revision="main")


def test_it_has_the_model_of_the_student():
    found = student_in_phase({"kind": "seq2seq_lora", "lora_rank": 4}, T5)
    assert (found.kind, found.model, found.revision, found.lora_rank) == ("seq2seq_lora", T5.model, "main", 4)
    assert student_in_phase({"kind": "lora"}, chosen("demo", base_steps=0)).lora_rank == 8
    assert student_in_phase(None, T5) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "qlora"}, "has no kind `qlora`"),
        ({"lora_rank": 4}, "has no kind `None`"),
        ({"kind": "seq2seq_lora", "model": "x/y"}, "has no `model` of its own"),
        ({"kind": "seq2seq_lora", "merge": False}, "leaves whole weights"),
        ({"kind": "seq2seq_lora", "lora_rank": 0}, "lora_rank: should be"),
        ({"kind": "seq2seq_lora", "rank": 4}, "rank"),
        ({"kind": "lora"}, "the student is an encoder-decoder, and a phase's kind `lora` is for the others"),
    ],
)
def test_what_it_cannot_be_is_said(given, message):
    with pytest.raises(UserError, match=message):
        student_in_phase(given, T5)
