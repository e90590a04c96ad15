from typing import get_args

from cotdistill.filters import REASON_ORDER, Reason
from cotdistill.records import FailureKind, RejectionKind


def test_no_kind_of_rejection_has_two_meanings():
    others = [*get_args(FailureKind), "empty", "overlong", "shortened"]
    assert sorted([*others, *REASON_ORDER]) == sorted(get_args(RejectionKind))
    assert len(set(get_args(RejectionKind))) == len(others) + len(REASON_ORDER)


def test_a_reason_is_shown_with_its_kind():
    assert str(Reason("long_reasoning", "5210 characters > 4000")) == "long_reasoning: 5210 characters > 4000"
