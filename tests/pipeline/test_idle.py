"""What does nothing in a recipe is said, and what cannot be is a fault: a table of recipes."""

import json

import pytest

HEAD = "name: t\nproblems: {dataset: demo, limit: 20, holdout: 5}\n"
DEMO = HEAD + "teacher: demo\n"
STUDENT = DEMO + "student: demo\ntrain: {max_steps: 4}\n"
ROW = {"question": "What is 1 + 1?", "reasoning": "One and one.", "answer": "2", "gold": "2"}


@pytest.fixture
def said(call, tmp_path):
    """Check a recipe: the exit code and all that is said."""
    (tmp_path / "rec.jsonl").write_text(json.dumps(ROW))

    def run(text, *arguments, command="check"):
        (tmp_path / "t.yaml").write_text(text)
        code, out, err = call(command, "t.yaml", *arguments)
        return code, " ".join(f"{err} {out}".split())

    return run


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            STUDENT + "arms:\n  a: {train: {max_steps: 5}}\n  b: {train: {max_steps: 5}}\n",
            "t.yaml:8: arms.b: the same as the arm `a`: one result will stand in two rows",
        ),
        (STUDENT + "arms:\n  a: {}\n  b: {train: {max_steps: 4}}\n", "t.yaml:8: arms.b: changes nothing: it says what"),
        (STUDENT + "arms:\n  a: {name: x}\n", "t.yaml:7: arms.a: `name` does nothing in an arm"),
        (
            STUDENT + "arms:\n  a: {seed: 1234, train: {max_steps: 5}}\n",
            "arms.a: `seed`: as in the recipe, which changes",
        ),
        (DEMO + "judge: demo\nfilter: {}\n", "t.yaml:4: judge: no verifier asks it (write `verifier: {kind: judge}`)"),
        (STUDENT + "evaluate: {tasks: [holdout, holdout]}\n", "t.yaml:6: evaluate.tasks: `holdout` is named 2 times"),
        (
            HEAD
            + "teacher: {kind: endpoint, base_url: https://api.deepseek.com/v1, model: deepseek-chat}\nsample: {}\n",
            "t.yaml:3: teacher: the known prices are of 2026-04-13 and may have changed",
        ),
    ],
)
def test_what_does_nothing_is_said_and_is_no_fault(said, text, message):
    code, told = said(text, "--no-probe")
    assert code == 0
    assert message in told


@pytest.mark.parametrize(
    "text",
    [
        STUDENT + "arms:\n  a: {}\n  b: {train: {max_steps: 5}}\n",
        STUDENT + "seeds: [1, 2]\n",
        DEMO + "student: demo\nevaluate: {tasks: [holdout]}\narms:\n  own: {train: null}\n  all: {}\n",
        DEMO + "judge: demo\nverifier: {kind: judge}\nfilter: {}\n",
        STUDENT + "evaluate: {tasks: [holdout]}\n",
        DEMO + "filter:\nconvert:\n",
    ],
)
def test_a_recipe_of_which_everything_does_something_is_not_warned_of(said, call, text):
    code, told = said(text)
    assert code == 0
    assert not any(word in told for word in ("nothing", "the same as", "asked once", "no verifier"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DEMO + "filter: {pass_rate: [0.1, 0.9]}\n",
            "t.yaml:4: filter.pass_rate: one answer to a problem has no share",
        ),
        (DEMO + "filter: {keep: majority}\n", "t.yaml:4: filter.keep: one answer is no majority"),
        (
            HEAD + "teacher: {kind: replay, path: rec.jsonl}\nfilter: {keep: all}\n",
            "t.yaml:3: teacher.path: 15 of 15 problems have no recorded answer in rec.jsonl",
        ),
        ("name: t\nproblems: {dataset: demo, limit: 2}\nteacher: demo\n", "the recipe runs no stage"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_what_cannot_be_is_a_fault_before_anything_is_asked(said, tmp_path, command, text, message):
    code, told = said(text, command=command)
    assert code == 2
    assert message in told
    assert not (tmp_path / "runs" / "t" / "1-sample").exists()


@pytest.mark.parametrize("more", ["samples_per_problem: 2", "until: {correct: 1, max_samples: 2}"])
def test_a_share_of_several_answers_may_be_looked_at(said, more):
    assert said(DEMO + f"sample: {{{more}}}\nfilter: {{pass_rate: [0.1, 0.9]}}\n")[0] == 0


def test_recorded_answers_cost_nothing(said, call, tmp_path):
    text = "name: t\nteacher: {kind: replay, path: rec.jsonl}\nfilter: {}\n"
    assert "1-sample: 1 problems with recorded answers: nothing is paid" in said(text)[1]
    (estimate,) = json.loads(call("check", "t.yaml", "--json")[1])["estimates"]
    assert (estimate["requests"], estimate["output_tokens"], estimate["usd"]) == (0, 0, 0.0)


@pytest.mark.parametrize("command", ["train", "evaluate", "convert"])
def test_a_stage_that_the_recipe_does_not_have_is_not_called_done(said, command):
    code, told = said(DEMO + "filter: {}\n", command=command)
    assert code == 2 and f"the recipe does not run `{command}`" in told


def test_an_override_without_a_value_is_refused(said):
    code, told = said(DEMO + "filter: {}\n", "--set", "problems.limit=")
    assert code == 2 and "--set problems.limit=: has no value (`--set problems.limit=null` takes away what" in told
