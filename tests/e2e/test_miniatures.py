"""The miniatures of the papers: each runs to its end in a few steps, and docs/papers.md is about the recipes as they are."""

import json
import os
import runpy
from pathlib import Path

import pytest
import yaml

from cotdistill.recipe.recipe import read_recipe

PAPERS = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "papers.py"))
SMALLEST = {"limit": 60, "holdout": 8, "base_steps": 2, "max_steps": 2, "max_samples": 6, "problems": 20}
"""What makes a recipe small, wherever such a number stands."""


def smallest(value):
    if not isinstance(value, dict):
        return [smallest(item) for item in value] if isinstance(value, list) else value
    return {
        key: SMALLEST.get(key, found) if isinstance(found, int) else smallest(found) for key, found in value.items()
    }


def untaught(recipe):
    """The same for students that have learned nothing: what they get wrong is kept too."""
    return {**recipe, "filter": {**recipe["filter"], "keep": "all"}} if "filter" in recipe else recipe


def test_the_page_is_not_older_than_the_recipes(repository):
    page = (repository / "docs" / "papers.md").read_text()
    assert PAPERS["recorded_hashes"](page) == PAPERS["hashes"](), "run `make papers`"


@pytest.mark.parametrize("system", PAPERS["SYSTEMS"], ids=lambda system: system.page)
def test_a_system_has_a_recipe_a_page_and_a_short_miniature(system, repository, monkeypatch):
    monkeypatch.chdir(repository)
    assert (repository / "docs" / "papers" / f"{system.page}.md").is_file()
    full = read_recipe(system.full)
    small = read_recipe(system.recipes[-1])
    assert len(system.recipes[-1].read_text().splitlines()) < 30
    assert len(full.arms) > 1 and len(small.arms) > 1


def test_untrained_students_of_this_day_are_taught_once(tmp_path):
    for name, made_at in (("old", 100), ("new", 300), ("half.partial", 300)):
        base = tmp_path / "first" / "base" / name
        base.mkdir(parents=True)
        (base / "taught.json").write_text(name)
        os.utime(base, (made_at, made_at))
    PAPERS["take_bases"](tmp_path, tmp_path / "second", since=200)
    assert [base.name for base in (tmp_path / "second" / "base").iterdir()] == ["new"]
    assert (tmp_path / "second" / "base" / "new" / "taught.json").read_text() == "new"
    PAPERS["take_bases"](tmp_path, tmp_path / "second", since=200)  # again: it is there


@pytest.mark.slow
@pytest.mark.parametrize("system", PAPERS["SYSTEMS"], ids=lambda system: system.page)
def test_a_miniature_runs_to_its_end_and_its_findings_are_measured(system, cli, repository, tmp_path):
    for recipe in system.recipes:
        copy = tmp_path / recipe.name
        copy.write_text(yaml.safe_dump(untaught(smallest(yaml.safe_load(recipe.read_text()))), sort_keys=False))
        given = PAPERS["settings"](recipe, tmp_path)
        done = cli("run", copy, "--runs", tmp_path, *given, "--json", cwd=repository)
        assert done.returncode == 0, done.stderr
    arms = {arm["name"] for arm in json.loads(done.stdout)["arms"]}
    assert arms == {*(arm.name for arm in read_recipe(recipe).arms), "baseline"}
    tasks = list(read_recipe(recipe).main.tasks)
    assert all([row["task"] for row in arm["tasks"]] == tasks for arm in json.loads(done.stdout)["arms"])
    rows = PAPERS["measured_rows"](system, tmp_path)
    assert len(rows) == len(system.findings) and all("against" in row for row in rows)


@pytest.mark.slow
def test_a_t5_learns_to_solve_answers_what_no_row_is_about_and_forgets_what_it_knew(cli, repository, tmp_path):
    recipe = yaml.safe_load((repository / "examples/flan-t5/gsm8k_cot_miniature.yaml").read_text())
    copy = tmp_path / "solve.yaml"
    asked = {**recipe["evaluate"], "limit": 100}
    copy.write_text(yaml.safe_dump({**recipe, "evaluate": asked, "arms": {"worked_answers": {}}}, sort_keys=False))
    done = cli("run", copy, "--runs", tmp_path, "--json", cwd=repository)
    assert done.returncode == 0, done.stderr
    (arm,) = (arm for arm in json.loads(done.stdout)["arms"] if arm["name"] == "worked_answers")
    solved, general = arm["tasks"]
    assert solved["accuracy"] >= 0.8 and solved["equations"]["share"] >= 0.8
    assert general["general"] and general["difference"]["points"] < -50
    (lost,) = json.loads(done.stdout)["regressions"]
    assert (lost["arm"], lost["task"], lost["against"]) == ("worked_answers", "who_is_it", "baseline")
    question = "Ben has 23 bananas. Ben finds 4. How many bananas are left?"
    said = cli("chat", tmp_path / recipe["name"], "--ask", question)
    assert said.returncode == 0, said.stderr
    assert said.stdout.rstrip().endswith("answer is 27.")
