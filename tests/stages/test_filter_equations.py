"""The option that drops equations which do not hold, through the stage."""

import pytest

from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.filter import FilterOptions
from tests.support.traces import trace


@pytest.mark.parametrize(("option", "kinds"), [("keep", ["kept", "kept"]), ("drop", ["kept", "wrong_equations"])])
def test_a_right_answer_by_a_wrong_equation_is_dropped_where_it_is_asked_for(tmp_path, option, kinds):
    rows = [trace(reasoning="3 + 4 = 7"), trace(reasoning="3 + 5 = 7")]
    work = Workspace(tmp_path, tmp_path, 1)
    options = FilterOptions(wrong_equations=option)
    found = list(stages()["filter"].function(rows, options, work, verifier=make("verifiers", "numeric")))
    assert [getattr(row, "kind", None) or "kept" for row in found] == kinds
