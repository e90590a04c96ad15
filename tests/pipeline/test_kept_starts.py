"""A run that goes on with what its last start found out: it asks what the ledger lacks, whatever became of the rest."""

import json
import shutil

import pytest

from cotdistill.data import kept_problems
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.storage.ledger import Ledger

TEXT = """\
name: t
problems: {dataset: p.jsonl}
teacher: {kind: demo, error_rate: 0}
sample: {max_tokens: 256}
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kept_problems, "KEPT_FROM", 1)
    (tmp_path / "t.yaml").write_text(TEXT)
    write_problems(tmp_path, 12)
    return lambda *overrides: Pipeline(read_recipe(tmp_path / "t.yaml", overrides=overrides), RunOptions()).run()


def write_problems(folder, count):
    rows = [{"id": f"p{n}", "question": f"What is {n} + 1?", "gold": str(n + 1)} for n in range(count)]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def stop_after(folder, answers):
    """Leave the sample step as a kill -9 does that came after so many answers."""
    ledger = folder / "completions.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:answers]) + lines[answers][:40])
    for name in ("manifest.json", "rows.jsonl"):
        (folder / name).unlink()


def stored(folder):
    with Ledger(folder / "completions.jsonl") as ledger:
        return [entry.problem_id for entry in ledger.read_entries()]


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [None, flip, cut, lambda path: path.unlink()])
def test_what_is_missing_is_asked_and_nothing_else(start, tmp_path, damage):
    step, kept = start().folder / "1-sample", tmp_path / "runs/t/problems"
    rows = [json.loads(line)["problem"] for line in (step / "rows.jsonl").read_text().splitlines()]
    whole = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert len(whole) == 4  # the problems, their key, that of the prompts, the requests
    for name in whole:
        stop_after(step, 5)
        if damage is not None:
            damage(kept / name)
        start()
        answers = stored(step)
        assert len(answers) == len(set(answers)) == 12
        assert [json.loads(line)["problem"] for line in (step / "rows.jsonl").read_text().splitlines()] == rows
        assert {path.name: path.read_bytes() for path in kept.iterdir()} == whole


def test_a_ledger_that_is_gone_or_shorter_than_it_was_is_what_counts(start, tmp_path):
    step = start().folder / "1-sample"
    for answers in (11, 3, 0):
        stop_after(step, answers)
        start()
        assert sorted(stored(step)) == sorted(f"p{n}" for n in range(12))
    shutil.rmtree(step)
    start()
    assert len(stored(step)) == 12


def test_files_of_another_run_are_not_taken(start, tmp_path):
    step = start().folder / "1-sample"
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "runs/t/problems", other)
    write_problems(tmp_path, 14)
    stop_after(step, 5)
    shutil.rmtree(tmp_path / "runs/t/problems")
    shutil.copytree(other, tmp_path / "runs/t/problems")
    start()
    assert sorted(stored(step)) == sorted(f"p{n}" for n in range(14))


def test_more_samples_and_another_prompt_are_missing_though_the_problems_are_kept(start, tmp_path):
    step = start().folder / "1-sample"
    stop_after(step, 12 - 1)
    start("sample.samples_per_problem=2")
    assert len(stored(step)) == 24
    (step / "manifest.json").unlink()
    start("sample.samples_per_problem=2", "teacher.system=Be brief.")
    assert len(stored(step)) == 48
