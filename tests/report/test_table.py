import io
import json
import re

import pytest
from rich.console import Console

from cotdistill.report.columns import regression_lines
from cotdistill.report.pairs import regressions
from cotdistill.report.read import read_run
from cotdistill.report.table import table
from tests.support.exams import answers, write_exam


def printed(data, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(table(data, width=width))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_every_arm_stands_on_a_line_with_its_accuracy(make_run, width):
    data = read_run(make_run())
    lines = printed(data, width).splitlines()
    assert max(map(len, lines)) <= width
    for arm in data.arms:
        (line,) = [line for line in lines if line.split()[:1] == [arm.name]]
        assert f"{100 * arm.scores.only.accuracy:.1f}%" in line
        assert "300" in line


def test_intervals_stay_whole_at_80_columns(make_run):
    data = read_run(make_run(n=1500))
    text = printed(data)
    for arm in data.arms[:3]:
        low, high = next(iter(arm.to_baseline.tasks.values())).ci95
        assert f"{100 * low:.1f} to {100 * high:.1f}" in text


def test_long_names_stay_readable_at_80_columns(make_run):
    name = "an_arm_with_a_name_that_says_everything"
    text = printed(read_run(make_run({name: 0.5, "two": 0.9}, n=1500)))
    assert "an_arm_w…thing" in text
    assert max(map(len, text.splitlines())) <= 80
    folded = "".join(line.split()[0] for line in text.splitlines() if line.startswith(" ") and line.split())
    assert name in folded


def test_square_brackets_in_a_name_are_no_markup(make_run):
    assert "[bold]x[/nope]" in printed(read_run(make_run({"[bold]x[/nope]": 0.5})), 120)


def test_several_tasks_get_a_section_each(make_run):
    text = printed(read_run(make_run({"one": 0.9, "baseline": 0.1}, tasks=("gsm8k", "mgsm_de"), n=40)))
    heads = [line.strip() for line in text.splitlines() if line.strip().startswith(("unweighted", "gsm8k", "mgsm_de"))]
    assert heads == ["unweighted mean", "gsm8k", "mgsm_de"]
    assert "all tasks" not in text
    assert sum(line.split()[:1] == ["one"] for line in text.splitlines()) == 3


def test_an_unfinished_arm_is_pending_and_an_empty_one_is_unknown(make_run):
    run = make_run(pending=[("filtered", "evaluate")])
    (run / "arms/baseline/5-evaluate/rows.jsonl").write_text("")
    lines = {line.split()[0]: line.split() for line in printed(read_run(run)).splitlines() if line.split()}
    assert lines["filtered"][1] == "pending"
    assert lines["baseline"][1:3] == ["–", "0"]


def test_the_filters_stand_side_by_side_with_what_they_dropped(make_run):
    data = read_run(make_run(traces=200))
    text = printed(data)
    rows = [line.split() for line in text[text.index("What the filter dropped") :].splitlines() if line.strip()]
    assert ["answered", "200", "200"] in rows
    assert ["wrong", "−27"] in rows
    assert ["kept", "170", "200"] in rows
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_is_said_of_filters_that_dropped_nothing(make_run):
    assert "dropped" not in printed(read_run(make_run({"unfiltered": 0.5, "baseline": 0.1})))


def test_seeds_and_what_was_forgotten_stand_below_the_table(tmp_path):
    even = {"gsm8k": 0.6, "mmlu": 0.6}
    rows = {"s@1": answers("s@1", even | {"mmlu": 0.2}), "s@2": answers("s@2", even), "baseline": answers("b", even)}
    seeds = {f"s@{seed}": {"of": "s", "seed": seed} for seed in (1, 2)}
    text = printed(read_run(write_exam(tmp_path / "run", rows, **seeds)), 120)
    assert "s, 2 seeds, gsm8k: mean " in text
    said = " ".join(text.split())
    assert re.search(r"forgotten: s@1 lost [0-9.]+ points of mmlu \(.* to .*\) against baseline", said)


def test_what_several_seeds_forgot_is_one_line(tmp_path):
    even = {"gsm8k": 0.6, "mmlu": 0.6}
    rows = {f"s@{n}": answers(f"s@{n}", even | {"mmlu": share}) for n, share in enumerate((0.1, 0.2, 0.6), 1)}
    seeds = {f"s@{seed}": {"of": "s", "seed": seed} for seed in (1, 2, 3)}
    data = read_run(write_exam(tmp_path / "run", rows | {"baseline": answers("b", even)}, **seeds))
    (line,) = regression_lines(regressions(data.arms))
    assert re.fullmatch(r"forgotten: s, 2 seeds, lost [0-9.]+–[0-9.]+ points of mmlu against baseline", line)
    assert [(name, len(arms)) for name, arms in data.variants] == [("s", 3), ("baseline", 1)]


def test_the_share_of_answers_whose_equations_hold_stands_beside_accuracy(tmp_path):
    rows = {arm: answers(arm, {"gsm8k": 0.6, "mmlu": 0.6}) for arm in ("unfiltered", "baseline")}
    data = read_run(write_exam(tmp_path / "run", rows))
    text = printed(data)
    assert max(map(len, text.splitlines())) <= 80
    lines = [line for line in text.splitlines() if line.split()[:1] == ["unfiltered"]]
    shares = [data.arms[0].scores.tasks[task].equations.share for task in ("gsm8k", "mmlu")]
    assert [f"{100 * share:.1f}%" in line for share, line in zip(shares, lines, strict=True)] == [True, True]


@pytest.mark.parametrize("width", [40, 60, 72])
def test_where_it_is_narrow_columns_go_and_are_named_and_names_stay(make_run, width):
    data = read_run(make_run(n=1500, traces=200))
    text = printed(data, width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for arm in data.arms:
        (line,) = [line for line in lines if line.split()[:1] == [arm.name] and "%" in line]
        assert f"{100 * arm.scores.only.accuracy:.1f}%" in line
    low, high = data.arms[0].scores.only.ci95
    assert f"{100 * low:.1f}–{100 * high:.1f}" in text
    assert f"not shown at {width} columns: " in text
    assert "no answer" in " ".join(text.split())
    assert "…" not in text[: text.index("What the filter")]


def test_where_there_is_room_the_first_arm_is_compared_with_too(make_run):
    data = read_run(make_run())
    wide = printed(data, 130)
    assert "filtered" in wide.splitlines()[2] + wide.splitlines()[3]
    low, high = next(iter(data.arms[1].to_first.tasks.values())).ci95
    assert f"{100 * low:.1f} to {100 * high:.1f}".replace("-", "−") in wide
    assert "not shown" not in printed(data, 80) + wide


def test_a_run_without_an_exam_has_no_empty_table(make_run):
    run = make_run(traces=200)
    arms = json.loads((run / "arms.json").read_text())
    for arm in arms["arms"]:
        del arm["stages"]["evaluate"]
    (run / "arms.json").write_text(json.dumps(arms))
    text = printed(read_run(run))
    assert text.startswith("quickstart: nothing was evaluated; filtered learned from 168 rows")
    assert "accuracy" not in text
    assert "What the filter dropped" in text


def test_what_an_arm_changes_stands_below_the_table(make_run):
    run = make_run()
    recipes = {"main": {"filter": {"keep": "correct"}}, "unfiltered": {"filter": {"keep": "all"}}}
    (run / "recipe.resolved.json").write_text(json.dumps(recipes))
    assert "unfiltered: filter.keep: correct -> all" in printed(read_run(run)).splitlines()
