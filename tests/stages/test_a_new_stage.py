"""A stage is added by one new file and one line: tried in a copy of the package, with and without its section."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]

STAGE = '''\
"""rewrite: say every rationale twice."""

from collections.abc import Iterable

from cotdistill.records import Trace
from cotdistill.stage import Rows, StageOptions, Workspace, stage


class RewriteOptions(StageOptions):
    """How rationales are rewritten."""

    times: int = 2
    """How often each is said."""


@stage(is_optional=True)
def rewrite(traces: Iterable[Trace], options: RewriteOptions, work: Workspace) -> Rows[Trace]:
    """Say every rationale as often as asked."""
    for trace in traces:
        said = " ".join([trace.completion.reasoning] * options.times)
        yield trace.model_copy(update={"completion": trace.completion.model_copy(update={"reasoning": said})})
'''
BEFORE = '    filter: "FilterOptions | None" = None\n'
LINE = '    rewrite: "RewriteOptions | None" = None\n'
RECIPE = """\
name: r
problems: {dataset: demo, limit: 6}
teacher: {kind: demo, error_rate: 0}
filter: {}
convert: {style: plain}
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Run a command of the copy."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(REPOSITORY / "cotdistill", copy / "cotdistill", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "cotdistill/stages/rewrite.py").write_text(STAGE)
    order = copy / "cotdistill/stages/__init__.py"
    text = order.read_text()
    assert text.count(BEFORE) == 1
    order.write_text(text.replace(BEFORE, LINE + BEFORE))

    def run(*arguments, cwd):
        done = subprocess.run(
            [sys.executable, "-m", "cotdistill", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


def folders(run):
    return sorted(path.name for path in run.iterdir() if path.name[0].isdigit())


def rationales(run, stage):
    rows = [json.loads(line) for line in (run / stage / "rows.jsonl").read_text().splitlines()]
    return [row["completion"]["reasoning"] for row in rows]


def test_a_recipe_without_its_section_neither_runs_nor_numbers_it(command, tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE)
    done = command("run", "r.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert folders(tmp_path / "runs/r") == ["1-sample", "2-filter", "3-convert"]


def test_a_recipe_with_its_section_runs_it_in_its_place_and_an_arm_may_leave_it_out(command, tmp_path):
    (tmp_path / "r.yaml").write_text(
        RECIPE + "rewrite:\narms: {twice: {}, thrice: {rewrite: {times: 3}}, as_said: {rewrite: null}}\n"
    )
    done = command("run", "r.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs/r"
    assert folders(run) == ["1-sample", "2-rewrite", "3-filter", "4-convert"]
    assert folders(run / "arms/thrice") == ["2-rewrite", "3-filter", "4-convert"]
    assert folders(run / "arms/as_said") == ["2-filter", "3-convert"]
    once = rationales(run, "1-sample")
    assert rationales(run, "3-filter") == [f"{said} {said}" for said in once]
    assert rationales(run, "arms/thrice/3-filter") == [" ".join([said] * 3) for said in once]
    assert rationales(run, "arms/as_said/2-filter") == once
    assert [arm["stages"] for arm in json.loads((run / "arms.json").read_text())["arms"]][2] == {
        "sample": "1-sample",
        "filter": "arms/as_said/2-filter",
        "convert": "arms/as_said/3-convert",
    }


def test_its_command_comes_from_the_order(command, tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE + "rewrite: {times: 3}\n")
    shown = command("--help", cwd=tmp_path).stdout
    assert "Say every rationale twice." in shown
    assert shown.index(" sample ") < shown.index(" rewrite ") < shown.index(" filter ")
    too_early = command("rewrite", "r.yaml", cwd=tmp_path)
    assert (too_early.returncode, "`rewrite` reads the rows of `sample`" in too_early.stderr) == (2, True)
    assert command("sample", "r.yaml", cwd=tmp_path).returncode == 0
    assert command("rewrite", "r.yaml", cwd=tmp_path).returncode == 0
    changed = command("rewrite", "r.yaml", "--set", "rewrite.times=4", cwd=tmp_path)
    assert (changed.returncode, "rewrite.times changed: 3 -> 4" in changed.stderr) == (2, True)
    misspelt = command("check", "r.yaml", "--set", "rewrite.time=4", cwd=tmp_path)
    assert (misspelt.returncode, "did you mean `times`?" in misspelt.stderr) == (2, True)
