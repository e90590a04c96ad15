"""One test over all student kinds: what they learn by, what they learn from, and how they are asked."""

import pytest

from cotdistill.errors import UserError
from cotdistill.losses import IGNORED
from cotdistill.registry import kinds, make
from tests.support.token_rows import answer_row

OPTIONS = {"demo": {"base_steps": 0}, "full": {"model": "owner/name"}, "lora": {"model": "owner/name"}}
"""An example of every kind."""


@pytest.fixture(params=sorted(kinds("students")))
def student(request):
    return make("students", request.param, **OPTIONS[request.param])


def test_what_can_be_known_before_a_run_is_well(student):
    student.check()


def test_it_names_a_trainer_of_transformers(student):
    from transformers import Trainer

    assert issubclass(student.trainer_class(), Trainer)


def test_padding_is_masked_by_length_and_never_supervised(student):
    rows = [answer_row([9, 5, 9], 1, "a/0"), answer_row([1, 2, 3, 4, 5, 6, 7, 8, 9], 8, "b/1")]
    batch = student.collator(9)(rows)
    assert batch["input_ids"].shape == (2, 16)
    assert batch["attention_mask"].sum(1).tolist() == [3, 9]
    assert batch["labels"][0].tolist() == [IGNORED, 5, 9] + [IGNORED] * 13
    assert batch["labels"][1].tolist() == [IGNORED] * 8 + [9] + [IGNORED] * 7
    assert batch["ids"] == ("a/0", "b/1")


def test_a_batch_has_weights_where_its_rows_have(student):
    rows = [answer_row([9, 5, 9], 1, "a/0"), answer_row([1, 2, 3, 4, 5, 6, 7, 8, 9], 8, "b/1")]
    assert "weights" not in student.collator(9)(rows)
    weighed = [row._replace(weights=[0.0] + [0.5] * (len(row.input_ids) - 1)) for row in rows]
    weights = student.collator(9)(weighed)["weights"]
    assert weights[0].tolist() == [0, 0.5, 0.5] + [0] * 13
    assert weights[1].tolist() == [0] + [0.5] * 8 + [0] * 7


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
