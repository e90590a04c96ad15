"""The judge inside the pipeline: asked once for all arms, part of the key, missed before anything is asked."""

import json

import pytest

from cotdistill.errors import UserError
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.storage.run_folder import JUDGEMENTS, read_manifest
from tests.support.fault_server import FaultServer
from tests.support.judge_server import by_truth, says

RECIPE = """\
name: t
problems: {dataset: answers.jsonl}
judge: {kind: endpoint, base_url: 'URL', model: j}
verifier: {kind: judge, rules: {kind: exact}, overturn: true}
filter: {}
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers = ["Paris", "the capital of France", "the capital of Italy"]
    rows = [
        {"question": f"Which city, {n}?", "reasoning": "So.", "answer": a, "gold": "Paris"}
        for n, a in enumerate(answers)
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def make_recipe(text, *overrides):
        (tmp_path / "t.yaml").write_text(text)
        return read_recipe(tmp_path / "t.yaml", overrides=overrides)

    return make_recipe


def test_the_judge_works_in_a_run_and_is_paid_once_for_all_arms(recipe):
    with says(by_truth) as server:
        text = RECIPE.replace("URL", server.base_url) + "arms: {strict: {}, all: {filter: {keep: all}}}\n"
        outcome = Pipeline(recipe(text), RunOptions()).run()
        assert len(server.requests) == 2
        counts = read_manifest(outcome.folder / "2-filter").counts
        assert (counts.rows_out, counts.reasons) == (2, {"wrong": 1})
        changed = recipe(text, "filter.max_answer_chars=5")
        assert (
            read_manifest(Pipeline(changed, RunOptions(redo="filter")).run().folder / "2-filter").counts.rows_out == 1
        )
        assert len(server.requests) == 2
    assert len((outcome.folder / JUDGEMENTS).read_text().splitlines()) == 2


def test_another_prompt_or_judge_asks_for_another_filter(recipe, tmp_path):
    (tmp_path / "judge.txt").write_text("{question} {gold} <answer {nonce}> {answer} {nonce}")
    with says(by_truth) as server:
        text = RECIPE.replace("URL", server.base_url).replace("overturn", "prompt: judge.txt, overturn")
        Pipeline(recipe(text), RunOptions()).run()
        assert Pipeline(recipe(text, "verifier.concurrency=2"), RunOptions()).run().skipped == ["2-filter"]
        with pytest.raises(UserError, match=r"judge\.model changed: j -> k"):
            Pipeline(recipe(text, "judge.model=k"), RunOptions()).run()
        (tmp_path / "judge.txt").write_text("Compare. {question} {gold} <answer {nonce}> {answer} {nonce}")
        with pytest.raises(UserError, match=r"verifier\.prompt changed"):
            Pipeline(recipe(text), RunOptions()).run()


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (("judge: {", "data: {} #"), "t.yaml:4: verifier", "the recipe has no `judge:`"),
        (("overturn", "budget: {usd: 1}, overturn"), "t.yaml:4: verifier", "needs the judge's prices"),
        (("overturn", "prompt: none.txt, overturn"), "none.txt", "no such file"),
        (("overturn", "overtrun"), "t.yaml:4: verifier.overtrun", "did you mean `overturn`"),
        (("exact", "exat"), "t.yaml:4: verifier.rules.kind", "did you mean `exact`"),
        (("{kind: exact}", "{kind: exact, casefld: true}"), "verifier.rules.casefld", "did you mean `casefold`"),
        (("model: j", "model: j, api_key_env: NO_SUCH_KEY"), "t.yaml:3: judge", "NO_SUCH_KEY is not set"),
    ],
)
def test_a_fault_is_named_with_its_place_before_anything_is_asked(recipe, change, place, message):
    with FaultServer() as server:
        with pytest.raises(UserError) as caught:
            Pipeline(recipe(RECIPE.replace("URL", server.base_url).replace(*change)), RunOptions()).run()
        assert server.requests == []
    assert place in str(caught.value) and message in str(caught.value)


def test_who_judges_is_part_of_the_key_only_where_the_judge_is_asked(recipe):
    def folders(text):
        return [step.folder for step in Pipeline(recipe(text), RunOptions()).plan.steps]

    arms = "arms: {a: {}, b: {judge: {model: other}}, c: {judge: {base_url: 'http://127.0.0.1:2'}}}\n"
    text = RECIPE.replace("URL", "http://127.0.0.1:1") + arms
    assert folders(text) == ["2-filter", "arms/b/2-filter"]
    assert folders(text.replace("kind: judge, rules: {kind: exact}, overturn: true", "kind: exact")) == ["2-filter"]
