import pytest

from cotdistill.errors import UserError
from cotdistill.report.compare import as_json, read_contest
from tests.support.exams import ASKED, TASKS, answer, answers, write_exam

EVEN = dict.fromkeys(TASKS, 0.6)


@pytest.fixture
def make(tmp_path):
    def run(name, accuracies, *, asked=None, attempts=1, **entries):
        arms = {arm: answers(arm, found, attempts=attempts) for arm, found in accuracies.items()}
        return str(write_exam(tmp_path / name, arms, asked=asked, **entries))

    return run


def test_arms_of_a_run_and_arms_by_name_are_models(make):
    one, two = make("one", {"sft": EVEN, "baseline": EVEN}), make("two", {"sft": EVEN, "s1k": EVEN})
    contest = read_contest([one])
    assert [model.arm.name for model in contest.models] == ["sft", "baseline"]
    assert contest.tasks == tuple(TASKS)
    contest = read_contest([f"{one}:sft", two, f"{two}:sft"])
    assert [model.arm.name for model in contest.models] == ["one:sft", "two:sft", "two:s1k"]
    assert len(contest.pairs) == 3


def test_runs_of_one_name_are_told_apart_by_their_paths(make, tmp_path):
    one, two = make("a/run", {"sft": EVEN}), make("b/run", {"sft": EVEN})
    assert [m.arm.name for m in read_contest([one, two]).models] == [f"{one}:sft", f"{two}:sft"]


def test_all_seeds_of_an_arm_are_named_by_it(make):
    run = make("r", {"sft@1": EVEN, "sft@2": EVEN, "x": EVEN}, **{f"sft@{i}": {"of": "sft", "seed": i} for i in (1, 2)})
    assert [model.arm.name for model in read_contest([f"{run}:sft"]).models] == ["sft@1", "sft@2"]


def test_the_untrained_student_is_the_reference_or_else_the_first(make):
    run = make("r", {"sft": EVEN, "s1k": EVEN, "baseline": EVEN})
    assert read_contest([run]).reference.name == "baseline"
    assert read_contest([f"{run}:s1k", f"{run}:sft"]).reference.name == "s1k"


def test_the_table_as_json_has_every_cell_and_pair(make):
    found = as_json(read_contest([make("r", {"sft": EVEN, "baseline": EVEN | {"mmlu": 0.9}})]))
    assert found["tasks"] == list(TASKS)
    assert [len(model["tasks"]) for model in found["models"]] == [3, 3]
    sft = found["models"][0]
    assert sft["mean_accuracy"] == pytest.approx(sum(task["accuracy"] for task in sft["tasks"]) / 3)
    assert [(pair["arm"], pair["against"]) for pair in found["pairs"]] == [("sft", "baseline")]
    assert [(drop["arm"], drop["task"]) for drop in found["regressions"]] == [("sft", "mmlu")]


def test_tasks_can_be_chosen(make):
    run = make("r", {"sft": EVEN, "baseline": EVEN | {"mmlu": 0.9}})
    contest = read_contest([run], only=("gsm8k",))
    assert contest.tasks == ("gsm8k",)
    assert contest.regressions == ()
    assert list(contest.pairs[0].comparison.tasks) == ["gsm8k"]
    with pytest.raises(UserError, match=r"no model was asked `gsm9k`"):
        read_contest([run], only=("gsm9k",))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{run}:stf", r"has no arm `stf`.*arms: sft"),
        ("{run}x", "is no run folder"),
        ("{run}:none", r"`none` is not evaluated yet"),
    ],
)
def test_what_cannot_be_compared_is_named(make, tmp_path, target, said):
    run = make("r", {"sft": EVEN, "none": {}})
    (tmp_path / "r/arms/none/5-evaluate/manifest.json").unlink()
    with pytest.raises(UserError, match=said):
        read_contest([target.format(run=run)])


def test_a_run_without_an_evaluation_is_refused(tmp_path):
    (tmp_path / "arms.json").write_text('{"arms": [{"name": "only", "stages": {"sample": "1-sample"}}]}')
    with pytest.raises(UserError, match="has no evaluated arm"):
        read_contest([str(tmp_path)])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ASKED | {"options": {"max_tokens": 128}}, r"evaluate.max_tokens: 64 -> 128"),
        (ASKED | {"roles": {"verifier": {"kind": "choice"}}}, r"verifier.kind: numeric -> choice"),
        (ASKED | {"options": {"max_tokens": 64, "num_beams": 5}}, r"evaluate.num_beams: 1 -> 5"),
        (ASKED | {"options": {"max_tokens": 64, "unknown_option": 5}}, r"evaluate.unknown_option"),
    ],
)
def test_runs_that_were_asked_or_graded_otherwise_are_refused_with_what_differs(make, asked, said):
    one, two = make("one", {"sft": EVEN}), make("two", {"sft": EVEN}, asked=asked)
    with pytest.raises(UserError, match=f"was not examined like one:sft: {said}"):
        read_contest([one, two])


@pytest.mark.parametrize("options", [{"batch_size": 4}, {"num_beams": 1}, {"baseline": False}, {"tasks": ["gsm8k"]}])
def test_what_changes_no_answer_is_no_difference(make, options):
    asked = ASKED | {"options": {"max_tokens": 64, **options}}
    assert len(read_contest([make("one", {"sft": EVEN}), make("two", {"sft": EVEN}, asked=asked)]).models) == 2


def test_other_questions_are_refused(make, tmp_path):
    one = make("one", {"sft": EVEN})
    two = str(write_exam(tmp_path / "two", {"sft": answers("sft", EVEN)[:-1]}))
    with pytest.raises(UserError, match="mmlu: 80 questions -> 79, 79 of them the same"):
        read_contest([one, two])
    assert read_contest([one, two], only=("gsm8k",)).tasks == ("gsm8k",)
    three = make("three", {"sft": EVEN}, attempts=2)
    with pytest.raises(UserError, match="gsm8k: 1 answers to each question -> 2"):
        read_contest([one, three])
    four = str(write_exam(tmp_path / "four", {"sft": [answer("other", "1")]}))
    with pytest.raises(UserError, match="gsm8k: asked -> not asked; mgsm: asked -> not asked"):
        read_contest([one, four])


def test_other_words_or_another_verifier_of_a_task_are_refused(make):
    one = make("one", {"sft": EVEN}, asked=ASKED | {"inputs": {"tasks": {"mmlu": "a", "gsm8k": "c"}}})
    two = make("two", {"sft": EVEN}, asked=ASKED | {"inputs": {"tasks": {"mmlu": "b", "gsm8k": "c"}}})
    with pytest.raises(UserError, match="mmlu: another text, prompt or verifier of the same questions"):
        read_contest([one, two])


def test_arms_of_one_run_may_be_asked_otherwise(make, tmp_path):
    run = make("one", {"sft": EVEN, "other": EVEN})
    manifest = tmp_path / "one/arms/other/5-evaluate/manifest.json"
    manifest.write_text(manifest.read_text().replace('"max_tokens": 64', '"max_tokens": 128').replace(":64", ":128"))
    assert len(read_contest([run]).models) == 2
    assert len(read_contest([run, make("two", {"sft": EVEN})]).models) == 3
