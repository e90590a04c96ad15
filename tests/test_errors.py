import pytest

from cotdistill.errors import UserError, UserErrors, raise_all


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
