"""The options that keep what most answers to a problem say, through the stage."""

import pytest

from cotdistill.records import Rejected
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.filter import FilterOptions
from tests.support.traces import trace


@pytest.mark.parametrize(
    ("keep", "of_known", "kinds"),
    [("majority", [1, 2], {"minority"}), ("correct_or_majority", [0], {"minority", "wrong"})],
)
def test_without_gold_answers_what_most_say_is_kept(tmp_path, keep, of_known, kinds):
    said = [trace(f"It is {number}.", gold=None, index=index) for index, number in enumerate((7, 8, 7))]
    known = [trace(f"It is {number}.", problem="known", index=index) for index, number in enumerate((7, 8, 8))]
    rows = [row.model_copy(update={"verdict": None}) for row in (*said, *known)]
    work = Workspace(tmp_path, tmp_path, 1)
    options = FilterOptions(keep=keep, max_kept_per_problem=2)
    found = stages()["filter"].function(rows, options, work, verifier=make("verifiers", "numeric"))
    decided = [row.decode() for row in found]
    kept = [row.completion.index for row in decided if not isinstance(row, Rejected)]
    assert kept == [0, 2, *of_known]
    assert {row.kind for row in decided if isinstance(row, Rejected)} == kinds
