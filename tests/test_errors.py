import pytest
from pydantic import ValidationError

from cotdistill.errors import UserError, UserErrors, first_fault, raise_all
from cotdistill.records import Problem


def test_a_fault_is_one_line_with_place_and_hint():
    assert UserError("unknown key", "r.yaml:3: kep", "did you mean `keep`?").lines() == [
        "r.yaml:3: kep: unknown key (did you mean `keep`?)"
    ]


def test_faults_are_raised_together():
    raise_all([])
    with pytest.raises(UserError, match="one"):
        raise_all([UserError("one")])
    with pytest.raises(UserErrors) as caught:
        raise_all([UserError("one"), UserError("two")])
    assert caught.value.lines() == ["one", "two"]


def test_a_first_fault_without_a_key_is_its_message():
    with pytest.raises(ValidationError) as refused:
        Problem.model_validate_json("{")
    assert str(first_fault(refused.value)) == first_fault(refused.value).message
    with pytest.raises(ValidationError) as refused:
        Problem.model_validate({"id": "p"})
    assert str(first_fault(refused.value)) == "question: Field required"
