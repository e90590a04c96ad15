"""Which runs are shown."""

import pytest

from cotdistill.errors import UserError
from cotdistill.viewer.places import find_runs
from tests.support.viewed_run import write_run


def test_a_damaged_run_does_not_hide_the_others(tmp_path, caplog):
    write_run(tmp_path / "whole")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/arms.json").write_text('{"arms": [')
    assert list(find_runs((), tmp_path)) == ["whole"]
    assert "broken/arms.json" in caplog.text and "left out" in caplog.text


def test_where_no_run_can_be_read_the_fault_is_said(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/arms.json").write_text("{}")
    with pytest.raises(UserError, match=r"broken/arms\.json"):
        find_runs((), tmp_path)


def test_a_folder_without_runs_says_how_to_get_one(tmp_path):
    with pytest.raises(UserError, match="has no run in it"):
        find_runs((), tmp_path)
    with pytest.raises(UserError, match="is missing"):
        find_runs((), tmp_path / "runs")


def test_a_run_may_be_named_by_its_recipe(tmp_path):
    write_run(tmp_path / "runs/whole")
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: whole\n")
    nameless = tmp_path / "whole.yaml"
    nameless.write_text("teacher: demo\n")
    for named in (recipe, nameless):
        assert list(find_runs([named], tmp_path / "runs")) == ["whole"]
