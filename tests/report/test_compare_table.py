import csv
import io

import pytest
from rich.console import Console

from cotdistill.report.compare import read_contest
from cotdistill.report.compare_page import compare_page
from cotdistill.report.compare_table import as_csv, items_csv, items_markdown, items_table, markdown, table
from cotdistill.report.items import flipped
from tests.support.exams import TASKS, answer, answers, write_exam

EVEN = dict.fromkeys(TASKS, 0.6)


@pytest.fixture
def contest(tmp_path):
    arms = {"sft": EVEN | {"gsm8k": 0.9, "mmlu": 0.3}, "baseline": EVEN}
    return read_contest([str(write_exam(tmp_path / "run", {arm: answers(arm, found) for arm, found in arms.items()}))])


def printed(group, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(group)
    return console.file.getvalue()


def test_models_stand_down_and_tasks_across(contest):
    text = printed(table(contest))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    head = next(line for line in lines if "gsm8k" in line)
    assert head.split() == ["model", "gsm8k", "mgsm", "mmlu", "unweighted", "mean"]
    row = next(line for line in lines if line.split()[:1] == ["sft"])
    accuracies = [100 * contest.cell(contest.models[0], task).accuracy for task in TASKS]
    assert row.split()[1:4] == [f"{accuracy:.1f}%" for accuracy in accuracies]
    assert row.split()[4] == f"{sum(accuracies) / 3:.1f}%"
    assert "Points against baseline" in text
    assert "forgotten: sft lost" in text
    assert "of mmlu" in text


def test_markdown_has_equal_columns(contest):
    first, second, _ = markdown(contest).split("\n\n", 2)
    assert {line.count(" | ") for line in first.splitlines()} == {4}
    assert "Points against baseline" in second
    assert "**forgotten: sft lost" in markdown(contest)


def test_csv_has_a_row_for_each_model_and_task(contest):
    rows = list(csv.DictReader(io.StringIO(as_csv(contest))))
    assert [(row["model"], row["task"]) for row in rows] == [(m, t) for m in ("sft", "baseline") for t in TASKS]
    assert float(rows[0]["accuracy"]) == contest.cell(contest.models[0], "gsm8k").accuracy
    assert rows[0]["against"] == "baseline"
    assert float(rows[0]["points"]) > 0
    assert rows[3]["points"] == ""
    assert None not in rows[0]


def test_a_page_holds_bars_and_items_and_loads_nothing(contest):
    found = flipped(contest, "gsm8k")
    text = compare_page(contest, {"gsm8k: flipped": found})
    assert text.count('class="drawing arm-') == 6
    assert text.count("<details>") == len(found) > 0
    assert "Forgotten: sft lost" in text
    assert "<script" not in text
    assert "://" not in text


def test_text_of_models_is_inert(tmp_path):
    hostile = "</td><script>alert(1)</script>|x"
    rows = {"sft": [answer("t|<i>", "p", reasoning=hostile)], "baseline": [answer("t|<i>", "p", "wrong")]}
    contest = read_contest([str(write_exam(tmp_path, rows))])
    found = flipped(contest, "t|<i>")
    assert "<script" not in compare_page(contest, {hostile: found})
    (row,) = items_markdown(found).splitlines()[2:]
    assert row.replace("\\|", "").count("|") == 9
    assert "<script" not in row


def test_items_stand_side_by_side(contest):
    found = flipped(contest, "gsm8k")
    text = printed(items_table(found))
    assert text.count("final answer: 7 (correct)") == len(found)
    assert f"{found[0].kind}: {found[0].problem.id}  (expected 7)" in text
    rows = list(csv.DictReader(io.StringIO(items_csv(found))))
    assert [row["problem"] for row in rows] == [item.problem.id for item in found]
    assert rows[0]["answer"].startswith("I add 3 + 4 =")
