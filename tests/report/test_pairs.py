import pytest

from cotdistill.report.pairs import regressions, seeds
from cotdistill.report.read import read_run
from tests.support.exams import TASKS, answers, write_exam

EVEN = dict.fromkeys(TASKS, 0.6)


def arms(tmp_path, accuracies, **entries):
    return read_run(write_exam(tmp_path / "run", {name: answers(name, a) for name, a in accuracies.items()}, **entries))


def test_every_two_arms_are_compared_once_and_what_was_not_trained_is_taken_away(tmp_path):
    data = arms(tmp_path, {"one": EVEN, "baseline": EVEN, "two": EVEN})
    assert [(pair.arm, pair.comparison.against) for pair in data.pairs] == [
        ("one", "baseline"),
        ("two", "baseline"),
        ("two", "one"),
    ]
    assert all(list(pair.comparison.tasks) == list(TASKS) for pair in data.pairs)
    to_first = {arm.name: arm.to_first for arm in data.arms}
    known = data.pairs[0].comparison.tasks["gsm8k"]
    assert to_first["baseline"].tasks["gsm8k"] == known.mirrored


def test_an_arm_is_compared_with_its_own_student_before_training(tmp_path):
    data = arms(
        tmp_path,
        {"small": EVEN, "large": EVEN, "baseline": EVEN, "baseline@large": EVEN},
        small={"kind": "trained", "baseline": "baseline"},
        large={"kind": "trained", "baseline": "baseline@large"},
        baseline={"kind": "baseline"},
        **{"baseline@large": {"kind": "baseline"}},
    )
    assert {a.name: a.to_baseline and a.to_baseline.against for a in data.arms}["large"] == "baseline@large"
    assert data.baselines == ("baseline", "baseline@large")


def test_a_drop_in_a_general_task_is_something_forgotten(tmp_path):
    data = arms(tmp_path, {"one": EVEN | {"mmlu": 0.3}, "two": EVEN | {"gsm8k": 0.2}, "baseline": EVEN})
    (drop,) = regressions(data.arms)
    assert (drop.arm, drop.task, drop.against) == ("one", "mmlu", "baseline")
    assert drop.paired.ci95.high < 0


def test_a_drop_that_chance_explains_is_nothing_forgotten(tmp_path):
    data = arms(tmp_path, {"one": EVEN | {"mmlu": 0.58}, "baseline": EVEN})
    assert data.arms[0].to_baseline.tasks["mmlu"].ci95.high > 0
    assert regressions(data.arms) == ()


def test_neither_a_teacher_nor_an_arm_beside_no_baseline_forgets(tmp_path):
    low = EVEN | {"mmlu": 0.2}
    assert regressions(arms(tmp_path / "a", {"teacher": low, "baseline": EVEN}).arms) == ()
    assert regressions(arms(tmp_path / "b", {"one": EVEN, "two": low}).arms) == ()


def test_seeds_have_a_mean_and_a_spread(tmp_path):
    data = arms(
        tmp_path,
        {"sft@1": EVEN, "sft@2": EVEN | {"gsm8k": 0.4}, "other": EVEN},
        **{"sft@1": {"of": "sft", "seed": 1}, "sft@2": {"of": "sft", "seed": 2}},
    )
    (found,) = seeds(data.arms)
    one, two = (data.arms[i].scores.tasks["gsm8k"].accuracy for i in (0, 1))
    spread = found.tasks["gsm8k"]
    assert (found.of, found.arms, spread.n) == ("sft", ("sft@1", "sft@2"), 2)
    assert spread.mean == pytest.approx((one + two) / 2)
    assert spread.sd == pytest.approx(abs(one - two) / 2**0.5)
    assert (spread.low, spread.high) == (min(one, two), max(one, two))
    assert data.arms[0].seed == 1


def test_a_single_seed_has_no_spread(tmp_path):
    (found,) = seeds(arms(tmp_path, {"sft@1": EVEN}, **{"sft@1": {"of": "sft", "seed": 1}}).arms)
    assert found.tasks["gsm8k"].sd is None
