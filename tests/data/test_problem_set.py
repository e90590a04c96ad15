import pytest

from cotdistill.data import Catalog
from cotdistill.data.problem_set import ProblemOptions, load_problems
from cotdistill.errors import UserError

NO_CATALOG = Catalog(())


def load(seed=1, **options):
    return load_problems(ProblemOptions(dataset="demo", **options), NO_CATALOG, seed=seed)


def test_holdout_and_sampled_are_disjoint_and_whole():
    problems = load(limit=50, holdout=10)
    assert (len(problems.sampled), len(problems.holdout)) == (40, 10)
    assert not {p.question for p in problems.sampled} & {p.question for p in problems.holdout}


def test_the_seed_decides_the_holdout():
    assert load(limit=50, holdout=10) == load(limit=50, holdout=10)
    assert load(limit=50, holdout=10).holdout != load(seed=2, limit=50, holdout=10).holdout


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "add `limit:`"), ({"limit": 5, "holdout": 5}, "leaves nothing of 5 problems")],
)
def test_a_set_that_leaves_nothing_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        load(**options)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(UserError, match="is empty"):
        load_problems(ProblemOptions(dataset=str(tmp_path / "p.jsonl")), NO_CATALOG, seed=1)
