from typing import get_args

from cotdistill.filters import REASON_ORDER, Reason
from cotdistill.records import FailureKind, RejectionKind


def test_every_kind_of_rejection_is_the_filters_a_failures_or_another_stages():
    others = {*get_args(FailureKind), "empty", "overlong", "shortened"}
    assert len(set(REASON_ORDER)) == len(REASON_ORDER)
    assert others.isdisjoint(REASON_ORDER)
    assert others | set(REASON_ORDER) == set(get_args(RejectionKind))


def test_a_reason_is_shown_with_its_kind():
    assert str(Reason("long_reasoning", "5210 characters > 4000")) == "long_reasoning: 5210 characters > 4000"
