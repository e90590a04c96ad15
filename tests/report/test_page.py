import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from cotdistill.records import Completion, Problem, Rejected, Trace
from cotdistill.report.headline import headline
from cotdistill.report.page import SAMPLE_CHARS, arm_looks, page, write_page
from cotdistill.report.read import read_run
from tests.support.exams import answers, write_exam

VOID = {"meta", "br"}
RECIPE = {"teacher": {"kind": "demo"}}
HOSTILE = "</script></style><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='x' {{ 7*7 }}"


class Outline(HTMLParser):
    """Collects a page's elements, and its texts outside drawings; complains about tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"svg", "style"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def trace(number):
    question = Problem(id=str(number), question=f"What is {number}?", gold=str(number))
    return Trace(problem=question, completion=Completion(key="k", index=0, text="It is 1."))


def hostile_run(make_run):
    run = make_run({HOSTILE.replace("/", "∕"): 0.5, "baseline": 0.1}, tasks=(HOSTILE,), n=30)
    rows = run / "5-evaluate/rows.jsonl"
    scores = [json.loads(line) for line in rows.read_text().splitlines()]
    for score in scores:
        score["completion"]["text"] = score["completion"]["reasoning"] = HOSTILE
        score["problem"]["question"] = score["problem"]["gold"] = score["verdict"]["reason"] = HOSTILE
    rows.write_text("".join(json.dumps(score) + "\n" for score in scores))
    manifest = run / "2-filter/manifest.json"
    filtered = json.loads(manifest.read_text())
    filtered["counts"]["reasons"] = {HOSTILE: 6}
    manifest.write_text(json.dumps(filtered))
    (run / "recipe.resolved.json").write_text(json.dumps({"main": {"teacher": {"kind": HOSTILE}}}))
    return run


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accuracies": {"only": 0.5}},
        {"accuracies": {f"arm {i}": i / 12 for i in range(12)}, "tasks": ("a", "b"), "n": 20},
        {"pending": [("filtered", "evaluate"), ("answer_only", "train"), ("baseline", "evaluate")]},
        {
            "accuracies": {"only": 0.5},
            "pending": [("only", stage) for stage in ("sample", "filter", "train", "evaluate")],
        },
    ],
    ids=["quickstart", "one arm", "many arms", "unfinished", "only begun"],
)
def test_a_page_is_whole_and_loads_nothing(make_run, options):
    data = read_run(make_run(**options))
    text = page(data)
    outline = Outline(text)
    names = [name for name, _ in outline.attributes]
    assert text.startswith("<!DOCTYPE html>")
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(outline.tags)
    assert not {"src", "srcset", "action", "xlink:href"} & set(names)
    links = [value for name, value in outline.attributes if name == "href"]
    assert all(not urlsplit(link).scheme and not link.startswith("/") for link in links)
    assert "@import" not in text
    assert "url(" not in text
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for name, value in outline.attributes if name == "aria-labelledby"} <= set(ids)
    for arm in data.arms:
        assert arm.name in outline.text


def test_text_of_models_and_recipes_is_inert(make_run):
    outline = Outline(page(read_run(hostile_run(make_run))))
    assert not {"script", "img"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert HOSTILE in outline.text


def test_the_page_forbids_what_it_does_not_need(make_run):
    attributes = Outline(page(read_run(make_run()))).attributes
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in attributes


def test_the_page_shows_the_numbers_of_the_run(make_run):
    data = read_run(make_run(traces=40))
    text = Outline(page(data)).text
    for arm in data.arms:
        total = arm.scores.only
        assert f"{100 * total.accuracy:.1f}% {100 * total.ci95.low:.1f}–{100 * total.ci95.high:.1f}" in text
    assert "asked 52 refused −3 5.8% timeout −9 17.3% answered 40 76.9% wrong −6 11.5% kept 34 65.4%" in text
    assert "kept 34 65.4% overlong −2 3.8% trained on 32 61.5%" in text
    assert "sample all trained arms · 12 of 52 rows refused 3" in text
    assert "Points against baseline" in text
    assert "Points against filtered" in text


def test_an_unfinished_run_says_so(make_run):
    data = read_run(make_run(pending=[("answer_only", "train"), ("answer_only", "evaluate")]))
    text = Outline(page(data)).text
    assert "Not finished: 2 of 13 stages are pending" in text
    assert "trained on pending" in text
    assert "Not finished" not in Outline(page(read_run(make_run(name="whole")))).text


def test_an_evaluation_of_no_rows_is_shown_as_unknown(make_run):
    run = make_run({"only": 0.5})
    (run / "5-evaluate/rows.jsonl").write_text("")
    text = Outline(page(read_run(run))).text
    assert "No trained arm has been evaluated yet." in text
    assert "only – 0 of 0" in text


def test_answers_that_the_verifier_failed_on_are_told(make_run):
    run = make_run({"only": 0.5}, n=20)
    rows = run / "5-evaluate/rows.jsonl"
    assert "The verifier failed" not in page(read_run(run))
    rows.write_text(rows.read_text().replace('"outcome":"correct"', '"outcome":"error"', 3))
    assert "The verifier failed on 3 answers of only" in page(read_run(run))


def test_long_answers_are_cut_and_the_cut_is_told(make_run):
    run = make_run({"only": 0.5}, n=4)
    rows = run / "5-evaluate/rows.jsonl"
    scores = [json.loads(line) for line in rows.read_text().splitlines()]
    for score in scores:
        score["completion"]["reasoning"] = "x" * (SAMPLE_CHARS + 1234)
    rows.write_text("".join(json.dumps(score) + "\n" for score in scores))
    text = page(read_run(run))
    assert "x" * SAMPLE_CHARS + "… (1,234 more characters)" in text
    assert "x" * (SAMPLE_CHARS + 1) not in text


def test_the_baseline_is_grey_and_twelve_arms_look_different(make_run):
    data = read_run(make_run({**{f"arm {i}": 0.5 for i in range(12)}, "baseline": 0.1}, n=5))
    looks = arm_looks(data)
    assert looks["baseline"].colour == 0
    assert len(set(looks.values())) == 13


def test_the_same_run_gives_the_same_bytes(make_run, tmp_path):
    run = make_run()
    for name in ("one.html", "two.html"):
        write_page(read_run(run), tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_the_page_says_what_each_filter_dropped_and_what_the_reasons_mean(make_run):
    run = make_run(traces=200)
    dropped = [Rejected(kind="wrong", reason=f"found 1, gold {i}", row=trace(i)) for i in range(9)]
    (run / "2-filter/rejected.jsonl").write_text("".join(row.model_dump_json() + "\n" for row in dropped))
    text = Outline(page(read_run(run))).text
    assert "filter filtered, answer_only · 30 of 200 rows wrong 27 The final answer is not the gold answer." in text
    assert [f"found 1, gold {i} " in text for i in (0, 2, 3)] == [True, True, False]
    assert "No such row is in its folder" in text
    assert "unfiltered answered 200" not in text


def test_each_arm_says_what_it_changes(make_run):
    run = make_run()
    arm = {**RECIPE, "filter": {"keep": "correct"}}
    recipes = {"main": arm, "filtered": arm, "unfiltered": arm | {"filter": {"keep": "all"}}}
    (run / "recipe.resolved.json").write_text(json.dumps(recipes))
    text = Outline(page(read_run(run))).text
    assert "filtered the recipe as it is unfiltered filter.keep: correct -> all answer_only not known" in text
    assert "baseline the student before training" in text


def test_flipped_questions_stand_beside_each_other_with_both_answers(make_run):
    data = read_run(make_run())
    text = Outline(page(data)).text
    gained = data.pairs and next(found for found in data.flips if found.arm == "unfiltered")
    paired = next(iter(data.arms[1].to_baseline.tasks.values())).counts
    lost = f"−{gained.lost}" if gained.lost else "0"
    assert (gained.gained, gained.lost) == (paired.gained, paired.lost)
    assert f"unfiltered against baseline +{gained.gained} gained, {lost} lost Gained 10 of {gained.gained}" in text
    assert len(gained.of_kind("gained")) == 10
    assert gained.flips[0].answer.completion.text in text
    assert gained.flips[0].other.verdict.outcome != "correct"


def test_the_pages_links_lead_to_files_that_are_there(make_run):
    run = make_run()
    manifest = json.loads((run / "2-filter/manifest.json").read_text())
    manifest["outputs"] = {name: {"sha256": "", "size_bytes": 1} for name in ("rows.jsonl", "gone.jsonl")}
    (run / "2-filter/manifest.json").write_text(json.dumps(manifest))
    links = [unquote(value) for name, value in Outline(page(read_run(run))).attributes if name == "href"]
    assert "2-filter/rows.jsonl" in links
    assert "recipe.resolved.json" in links
    assert all((run / link).is_file() for link in links)


def test_the_recipe_and_the_command_are_on_the_page_as_text(make_run):
    run = make_run()
    (run / "recipe.yaml").write_text("name: <b>x</b>\n")
    (run / "command.json").write_text('{"recipe": "my r.yaml", "set": ["a.b=[1, 2]"], "runs": "runs"}')
    text = Outline(page(read_run(run))).text
    assert "cotdistill-cli run 'my r.yaml' --set 'a.b=[1, 2]' name: <b>x</b>" in text


def exam(tmp_path, **arms):
    even = {"gsm8k": 0.6, "mgsm": 0.6, "mmlu": 0.6}
    rows = {arm: answers(arm, even | accuracies, attempts=2) for arm, accuracies in arms.items()}
    return read_run(write_exam(tmp_path / "run", rows, sft={"of": "s", "seed": 1}))


def test_several_tasks_are_shown_apart_with_their_unweighted_mean(tmp_path):
    data = exam(tmp_path, sft={}, baseline={})
    text = Outline(page(data)).text
    mean = f"{100 * data.arms[0].scores.mean_accuracy:.1f}%"
    assert headline(data) == f"sft: {mean} right in the unweighted mean of 2 tasks."
    assert "Unweighted mean" in text
    assert "By group: 2" in text
    assert "maj@2 pass@2" in text
    assert "Equations hold" in text
    assert "Trainings that differ in their seed" in text
    assert "Forgotten" not in text
    assert "all tasks" not in text


def test_what_was_forgotten_stands_on_top_in_red(tmp_path):
    outline = Outline(page(exam(tmp_path, sft={"mmlu": 0.2}, baseline={})))
    assert ("role", "alert") in outline.attributes
    assert "Forgotten: sft lost" in outline.text
    assert re.search(r"points of mmlu \(.* to .*\) against baseline", outline.text)


def test_accuracy_over_training_is_drawn_where_points_were_asked(tmp_path):
    even = {"gsm8k": 0.6, "mmlu": 0.6}
    run = write_exam(tmp_path / "run", {"sft": answers("sft", even)})
    assert "Accuracy over training" not in page(read_run(run))
    point = run / "5-evaluate/points/step-2"
    point.mkdir(parents=True)
    (point / "rows.jsonl").write_text("".join(score.model_dump_json() + "\n" for score in answers("early", even)))
    (run / "4-train").mkdir()
    (run / "4-train/checkpoint.jsonl").write_text('{"path": "4-train/checkpoint", "fingerprint": "f", "steps": 4}\n')
    arms = json.loads((run / "arms.json").read_text())
    arms["arms"][0]["steps"] = [{"step": 2, "folder": "5-evaluate/points/step-2"}]
    arms["arms"][0]["stages"]["train"] = "4-train"
    (run / "arms.json").write_text(json.dumps(arms))
    data = read_run(run)
    assert [point.step for point in data.arms[0].points] == [2, 4]
    assert data.arms[0].points[1].tasks == data.arms[0].scores.tasks
    outline = Outline(page(data))
    assert "Accuracy over training" in outline.text
    said = [
        value for name, value in outline.attributes if name == "aria-label" and value.startswith("Accuracy in gsm8k")
    ]
    early = 100 * data.arms[0].points[0].tasks["gsm8k"].accuracy
    assert f"sft: {early:.3g} at 2" in said[0]
