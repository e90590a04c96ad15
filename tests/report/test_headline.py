"""A run's result in a sentence."""

from cotdistill.report.headline import headline
from cotdistill.report.read import read_run
from tests.support.exams import answers, write_exam


def test_the_headline_names_the_best_trained_arm(make_run):
    data = read_run(make_run())
    total = data.arms[0].scores.only
    assert headline(data).startswith(f"Best arm: filtered, {100 * total.accuracy:.1f}% of 300 questions right")
    assert "points above baseline" in headline(data)


def test_the_headline_goes_by_the_mean_of_seeds_and_not_by_the_luckiest(tmp_path):
    shares = {"a@1": 0.9, "a@2": 0.1, "b@1": 0.7, "b@2": 0.6}
    seeds = {name: {"of": name[0], "seed": int(name[2])} for name in shares}
    rows = {name: answers(name, {"gsm8k": share}) for name, share in shares.items()}
    data = read_run(write_exam(tmp_path / "run", rows, **seeds))
    found = sorted(arm.scores.mean_accuracy for arm in data.arms if arm.of == "b")
    mean, low, high = (f"{100 * value:.1f}" for value in (sum(found) / 2, *found))
    assert headline(data) == f"Best arm: b, {mean}% of gsm8k right in the mean of 2 seeds ({low}–{high})."


def test_the_headline_does_not_claim_what_chance_explains(make_run):
    data = read_run(make_run({"one": 0.52, "baseline": 0.5}, n=60))
    assert "No clear difference to baseline" in headline(data)
