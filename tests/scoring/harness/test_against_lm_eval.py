"""`mode: harness` gives the numbers of the `lm_eval` command, task by task, with and without a stop in between."""

import contextlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cotdistill.cli import main
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.records import Score
from cotdistill.storage import jsonl
from tests.support.harness import LANGUAGES, SUBJECTS, make_number_student, write_registry, write_task_files
from tests.support.patience import HANGS_S

lm_eval = pytest.importorskip("lm_eval")

pytestmark = pytest.mark.slow

RECIPE = """\
name: t
student: {{kind: full, model: {model}}}
evaluate:
  mode: harness
  tasks: [gsm8k, mgsm_direct, mmlu]
  baseline: false
  batch_size: 4
  limit: 9
  harness: {{max_gen_toks: 8}}
"""


@pytest.fixture(scope="module")
def place(base, tmp_path_factory):
    """A folder with a student, a registry and its files."""
    folder = tmp_path_factory.mktemp("place")
    write_registry(folder)
    model = make_number_student(Path(base), folder / "model")
    (folder / "t.yaml").write_text(RECIPE.format(model=model))
    return folder


@pytest.fixture(scope="module")
def theirs(place):
    """What the `lm_eval` command says of the same files: its results, and its rows by task."""
    write_task_files(place / "tasks", Path(lm_eval.__file__).parent, place / "data")
    names = ["local_gsm8k", *(f"local_mgsm_direct_{language}" for language in LANGUAGES), "local_mmlu"]
    command = ["-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={place / 'model'}", "--device", "cpu"]
    command += ["--tasks", ",".join(names), "--include_path", str(place / "tasks"), "--batch_size", "4"]
    command += ["--limit", "9", "--gen_kwargs", "max_gen_toks=8", "--log_samples", "--output_path", str(place / "out")]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, *command], check=True, cwd=place, timeout=HANGS_S, env=environment)
    results = json.loads(next((place / "out").rglob("results_*.json")).read_text())["results"]
    rows = {}
    for path in (place / "out").rglob("samples_*.jsonl"):
        name = path.name.removeprefix("samples_local_").rpartition("_")[0]
        rows[name] = [json.loads(line) for line in path.read_text().splitlines()]
    return results, rows


@pytest.fixture(scope="module")
def ours(place):
    """The stage's folder after a run."""
    run_recipe(place)
    return place / "runs" / "t" / "5-evaluate"


def run_recipe(place):
    with contextlib.chdir(place):
        Pipeline(read_recipe(Path("t.yaml")), RunOptions()).run()


def test_every_number_of_every_task_is_that_of_the_command(ours, theirs):
    mine = json.loads((ours / "harness.json").read_text())["results"]
    results, _ = theirs
    assert {f"local_{name}" for name in mine} == results.keys() - {"local_mmlu"}
    for name, numbers in mine.items():
        expected = results[f"local_{name}"]
        assert {key: value for key, value in numbers.items() if "," in key} == {
            key: value for key, value in expected.items() if "," in key
        }, name
        assert numbers["sample_len"] == expected["sample_len"]


def test_the_means_over_tasks_are_made_by_the_rule_that_stands_beside_them(ours, theirs):
    report = json.loads((ours / "report.json").read_text())["tasks"]
    results, _ = theirs
    assert report["mmlu"]["rule"] == "mean weighted by size over 2 tasks"
    assert math.isclose(report["mmlu"]["accuracy"], results["local_mmlu"]["acc,none"])
    assert report["mgsm_direct"]["rule"] == "unweighted mean over 11 tasks"
    each = [results[f"local_mgsm_direct_{language}"]["exact_match,flexible-extract"] for language in LANGUAGES]
    assert math.isclose(report["mgsm_direct"]["accuracy"], sum(each) / 11)
    # Numbers that are all 0 would agree by themselves.
    assert all(0 < task["accuracy"] < 1 for task in report.values())


def test_the_rows_hold_each_answer_as_the_command_logs_it(ours, theirs):
    _, rows = theirs
    scores = list(jsonl.read(ours / "rows.jsonl", Score))
    said = {score.problem.id: score for score in scores}
    assert len(said) == len(scores) == 9 + 3 * 11 + min(9, SUBJECTS["anatomy"]) + min(9, SUBJECTS["astronomy"])
    for row in rows["gsm8k"]:
        if row["filter"] == "flexible-extract":
            score = said[f"gsm8k/{row['doc_id']}"]
            assert score.completion.text == row["resps"][0][0]
            assert (score.verdict.outcome == "correct") == (row["exact_match"] == 1)
            assert score.problem.gold == row["target"].rpartition(" ")[2]
    for row in rows["mmlu_anatomy"]:
        score = said[f"mmlu_anatomy/{row['doc_id']}"]
        assert (
            (score.verdict.outcome == "correct") == (row["acc"] == 1) == (score.verdict.extracted == score.problem.gold)
        )
        assert score.problem.group == "anatomy"


def test_answers_that_were_stored_are_not_asked_again(ours, place, capfd):
    before = (ours / "rows.jsonl").read_bytes()
    # As after a kill when all was answered: no manifest, no rows.
    for name in ("manifest.json", "rows.jsonl", "harness.json", "report.json"):
        (ours / name).unlink()
    run_recipe(place)
    said = capfd.readouterr().err
    assert "Checking cached requests: 100%" in said
    assert "Running generate_until requests" not in said and "Running loglikelihood requests" not in said
    assert (ours / "rows.jsonl").read_bytes() == before


def test_lmeval_prints_the_table_of_the_command(place, theirs, monkeypatch, capsys):
    arguments = ["--model", "model", "--tasks", "mgsm_direct,mmlu", "--batch_size", "4", "--limit", "9"]
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["cotdistill-cli", "lmeval", *arguments, "--max_gen_toks", "8"])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr().out
    results, _ = theirs
    assert caught.value.code == 0
    assert f"mmlu: acc,none {results['local_mmlu']['acc,none']:.4f} (mean weighted by size over 2 tasks)" in said
    assert said.startswith("|") and "|mgsm_direct_de|" in said
