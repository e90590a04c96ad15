"""The books: what each arm took, round by round, what it pays like, and how every layout of the report says so."""

import json
import random

import pytest

from cotdistill.records import Completion, Problem, Score, Trace, Usage, Verdict
from cotdistill.report.as_json import as_json
from cotdistill.report.books_view import book_view, pays_like_words
from cotdistill.report.flow import flows
from cotdistill.report.markdown import markdown
from cotdistill.report.page import page
from cotdistill.report.read import read_run
from cotdistill.scoring.token_curve import PaysLike
from cotdistill.storage.run_folder import LAYOUT, Counts, Manifest, write_manifest

pytest.importorskip("scipy")
BUDGETS = {"few": 100, "some": 200, "most": 400}
RIGHT = {"few": 60, "some": 120, "most": 180, "rounds": 150, "best": 250, "untrained": 5}


def finish(folder, stage, *, rows_in=0, rows_out=0, seconds=10.0):
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counts(rows_in=rows_in, rows_out=rows_out)
    started = "2026-11-21T07:00:00+00:00"
    facts = {"layout": LAYOUT, "stage": stage, "key": "0", "recipe": {}, "outputs": {}, "versions": {}}
    write_manifest(folder, Manifest(**facts, counts=counts, started=started, seconds=seconds))


def traces(count, *, origin="teacher", round=1, tokens=10):
    said = Completion(key="k", index=0, text="1", usage=Usage(prompt_tokens=20, completion_tokens=tokens))
    for number in range(count):
        problem = Problem(id=f"p{number}", question=f"{number}?", gold="1")
        yield Trace(problem=problem, completion=said, origin=origin, round=round)


def write_rows(path, rows):
    path.write_text("".join(row.model_dump_json() + "\n" for row in rows))


def write_stage(folder, stage, rows, **facts):
    found = list(rows)
    finish(folder, stage, rows_in=len(found), rows_out=len(found), **facts)
    write_rows(folder / "rows.jsonl", found)


def exam(right, n=300):
    """Return an arm's exam; the arms are right about different problems."""
    order = random.Random(right).sample(range(n), n)
    for number in range(n):
        outcome = "correct" if order[number] < right else "wrong"
        problem = Problem(id=f"e{number}", question="?", gold="1")
        said = Completion(key="k", index=0, text="1")
        yield Score(task="holdout", problem=problem, completion=said, verdict=Verdict(outcome=outcome))


@pytest.fixture
def run(tmp_path):
    """A run of three budgets, rounds, and a student that is better than all of them."""
    plain = {
        "teacher": {"kind": "endpoint", "model": "r", "prices": {"input": 1.0, "output": 10.0}},
        "problems": {"limit": 1000},
        "train": {},
    }
    recipes = {"main": plain}
    arms = []
    for name, budget in BUDGETS.items():
        write_stage(tmp_path / name / "1-sample", "sample", traces(budget))
        write_stage(tmp_path / name / "2-filter", "filter", traces(budget))
        stages = {"sample": f"{name}/1-sample", "filter": f"{name}/2-filter"}
        arms.append({"name": name, "kind": "trained", "stages": stages})
        recipes[name] = plain | {"rounds": [{"problems": budget}]}
    write_stage(tmp_path / "rounds/1-rollout", "rollout", traces(40, origin="student", round=2, tokens=7))
    (tmp_path / "rounds/1-rollout/solved.json").write_text(json.dumps({"problems": 900, "solved": 300}))
    write_stage(tmp_path / "rounds/2-sample", "sample", traces(50, round=2))
    kept = [*traces(100), *traces(45, round=2), *traces(30, origin="student", round=2)]
    write_stage(tmp_path / "rounds/3-filter", "filter", kept)
    stages = {"rollout": "rounds/1-rollout", "sample": "rounds/2-sample", "filter": "rounds/3-filter"}
    first = {"sample": "few/1-sample", "filter": "few/2-filter"}
    arms.append({"name": "rounds", "kind": "trained", "rounds": [first], "stages": stages})
    recipes["rounds"] = plain | {"rounds": [{"problems": 100}, {"problems": 50, "select": "failed"}]}
    (tmp_path / "best").mkdir()
    choice = {"method": "linear", "chosen": 0.8, "n": 150, "asked": [{"alpha": 0.8, "correct": 9}]}
    finish(tmp_path / "best/5-average", "average")
    (tmp_path / "best/5-average/choice.json").write_text(json.dumps(choice))
    arms.append({"name": "best", "kind": "trained", "stages": {"sample": "some/1-sample", "average": "best/5-average"}})
    recipes["best"] = plain | {"rounds": [{"problems": 200}], "average": {"alpha": [0.8, 1.0]}}
    arms.append({"name": "untrained", "kind": "baseline", "stages": {}})
    for arm in arms:
        name = arm["name"]
        if name in BUDGETS or name == "rounds":
            finish(tmp_path / name / "4-train", "train", seconds=60.0)
            (tmp_path / name / "4-train" / "devices.json").write_text('{"processes": 8}')
            arm["stages"]["train"] = f"{name}/4-train"
        write_stage(tmp_path / name / "6-evaluate", "evaluate", exam(RIGHT[name]))
        arm["stages"]["evaluate"] = f"{name}/6-evaluate"
    (tmp_path / "arms.json").write_text(json.dumps({"arms": arms}))
    (tmp_path / "recipe.resolved.json").write_text(json.dumps(recipes))
    return tmp_path


def test_each_arm_has_the_bill_of_its_own_rows(run):
    books = read_run(run).books
    few, rounds = books.arms["few"], books.arms["rounds"]
    assert (few.input_tokens, few.output_tokens, few.student_tokens) == (2000, 1000, 0)
    assert few.usd == pytest.approx((2000 * 1 + 1000 * 10) / 1e6)
    assert few.device_seconds == 480, "sixty seconds on eight devices"
    assert (rounds.input_tokens, rounds.output_tokens, rounds.student_tokens) == (3000, 1500, 280)
    assert rounds.device_seconds == 490
    assert books.arms["untrained"].teacher_tokens == 0


def test_rounds_say_what_was_asked_solved_and_kept(run):
    first, second = read_run(run).books.arms["rounds"].rounds
    assert (first.asked, first.tried, dict(first.kept)) == (100, None, {"teacher": 100})
    assert (second.asked, second.tried, second.solved) == (50, 900, 300)
    assert dict(second.kept) == {"student": 30, "teacher": 45}


def test_a_report_has_the_stages_of_all_rounds(run):
    alone = json.loads((run / "arms.json").read_text())
    alone["arms"] = [arm for arm in alone["arms"] if arm["name"] in ("rounds", "untrained")]
    (run / "arms.json").write_text(json.dumps(alone))
    data = read_run(run)
    folders = [stage.folder for stage, _ in data.stages]
    assert folders[:4] == ["few/1-sample", "few/2-filter", "rounds/1-rollout", "rounds/2-sample"]
    (rounds,) = (arm for arm in data.arms if arm.name == "rounds")
    assert [(step.label, step.rows) for step in rounds.funnel][:3] == [("asked", 150), ("answered", 150), ("kept", 175)]
    (flow,) = flows(data)
    assert (flow.steps[0].label, flow.steps[0].rows) == ("read", 175), "the answers of both rounds and its own"


def test_a_bill_of_the_server_counts_where_it_is_larger(run):
    (run / "few/1-sample/spending.json").write_text(json.dumps({"input_tokens": 2100, "output_tokens": 1900}))
    (run / "some/1-sample/spending.json").write_text(json.dumps({"input_tokens": 21, "output_tokens": 19}))
    books = read_run(run).books
    assert books.arms["few"].output_tokens == 1900, "an attempt that broke was billed too"
    assert books.arms["some"].output_tokens == 2000, "another arm has paid for most of it"


def test_arms_pay_like_the_line_of_those_that_differ_in_their_budget_alone(run):
    books = read_run(run).books
    assert books.line == ("few", "some", "most") and books.task == "holdout"
    found = books.pays_like
    assert not found.keys() & set(books.line), "what others are measured by is not measured"
    assert found["rounds"].tokens == pytest.approx(6000 * 2**0.5)
    assert found["rounds"].low < found["rounds"].tokens < found["rounds"].high
    assert books.ratio("rounds") == pytest.approx(6000 * 2**0.5 / 4500)
    assert found["best"].place == "above the curve" and books.ratio("best") is None
    assert found["untrained"].place == "below the curve"


def test_without_a_second_budget_nothing_pays_like_anything(run):
    recipes = json.loads((run / "recipe.resolved.json").read_text())
    recipes["some"]["filter"] = {"keep": "all"}
    recipes["most"]["sample"] = {"samples_per_problem": 4}
    (run / "recipe.resolved.json").write_text(json.dumps(recipes))
    books = read_run(run).books
    assert books.line == () and not books.pays_like


def test_each_seed_has_a_line_of_its_own(run):
    said = json.loads((run / "arms.json").read_text())
    arms = []
    for arm in said["arms"]:
        seeds = (1, 2) if arm["kind"] == "trained" else (None,)
        arms += [arm | ({"name": f"{arm['name']}@{s}", "of": arm["name"], "seed": s} if s else {}) for s in seeds]
    (run / "arms.json").write_text(json.dumps({"arms": arms}))
    data = read_run(run)
    assert data.books.pays_like["rounds@1"] == data.books.pays_like["rounds@2"]
    assert "rounds pays like 1.9 times its tokens in the mean of 2 seeds (1.9, 1.9)" in book_view(data).lines


def test_every_layout_says_it(run):
    data = read_run(run)
    view = book_view(data)
    assert view.heads == (
        *("arm", "teacher in", "teacher out", "paid", "student said", "devices", "pays like", "times"),
    )
    rows = {row[0]: row for row in view.rows}
    assert rows["rounds"][1:6] == ("3,000", "1,500", "$0.018", "280", "8 min 10 s")
    assert rows["rounds"][6].startswith("8,485 (") and rows["rounds"][7] == "1.9"
    assert rows["best"][6:] == ("above the curve", "–")
    assert rows["some"][6:] == ("the line", "–")
    assert "rounds, round 2: solved 300 of 900 by itself, asked 50, kept 45 teacher and 30 student rows" in view.lines
    assert any(line.startswith("best, average: alpha 0.8 was chosen on 150 problems") for line in view.lines)
    assert "| rounds | 3,000 | 1,500 |" in markdown(data)
    shown = page(data)
    assert 'id="books"' in shown and "Accuracy in holdout over teacher tokens" in shown
    assert shown.count("<polyline") == 1, "the arms of the line are joined"
    arm = next(arm for arm in as_json(data)["arms"] if arm["name"] == "rounds")
    assert arm["books"]["rounds"][1]["kept"] == {"student": 30, "teacher": 45}
    assert arm["pays_like"]["place"] == "on" and arm["pays_like"]["times"] == pytest.approx(1.886, abs=0.001)
    assert as_json(data)["token_line"] == {"task": "holdout", "arms": ["few", "some", "most"]}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (PaysLike("on", 2830.4, 2100.0, None), "2,830 (2,100–>)"),
        (PaysLike("on", 2830.4, None, 3000.0), "2,830 (<–3,000)"),
        (PaysLike("above the curve", None, None, None), "above the curve"),
        (None, "–"),
    ],
)
def test_an_end_beside_the_line_is_open(found, words):
    assert pays_like_words(found) == words
