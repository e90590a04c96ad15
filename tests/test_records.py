import json

import pytest
from pydantic import ValidationError

from cotdistill.records import Failure, Problem, Rejected

PROBLEM = Problem(id="p", question="q")


def test_a_failure_is_shown_with_its_kind():
    assert str(Failure(kind="failed", reason="HTTP 400: too long")) == "failed: HTTP 400: too long"


def test_a_rejected_row_says_its_kind_apart_from_the_words():
    row = json.loads(Rejected(kind="wrong", reason="found 70, gold 72; bold final", row=PROBLEM).model_dump_json())
    assert list(row.items())[:2] == [("kind", "wrong"), ("reason", "found 70, gold 72; bold final")]


@pytest.mark.parametrize("kind", ["wrong: found 70", "ok", "correct", "", None])
def test_a_kind_that_nobody_counts_is_an_error(kind):
    with pytest.raises(ValidationError, match="kind"):
        Rejected(kind=kind, reason="found 70, gold 72", row=PROBLEM)
