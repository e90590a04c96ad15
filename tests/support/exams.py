"""Runs that were evaluated on several tasks: graded answers drawn by seed, and what stands beside them."""

import json
import random
from pathlib import Path

from cotdistill.records import Completion, Problem, Score, Usage, Verdict
from cotdistill.scoring.equations import count_equations
from cotdistill.storage.run_folder import LAYOUT, Counts, Manifest, write_manifest

TASKS = {"gsm8k": 60, "mgsm": 40, "mmlu": 80}
"""Questions of each; mgsm asks them in two languages, mmlu is general."""
ASKED = {"options": {"max_tokens": 64}, "roles": {"verifier": {"kind": "numeric"}}, "inputs": {}}


def answer(
    task: str, problem: str, outcome: str = "correct", *, gold: str = "7", reasoning: str = "", index: int = 0, **more
) -> Score:
    """Return one graded answer; `more` are fields of Score, `group` and `tokens`."""
    group, tokens = more.pop("group", ""), more.pop("tokens", 10)
    final = {"correct": gold, "wrong": "8"}.get(outcome)
    return Score(
        task=task,
        problem=Problem(id=problem, question=f"Question {problem}?", gold=gold, group=group),
        completion=Completion(
            key="k",
            index=index,
            text=f"It is {final}.",
            reasoning=reasoning,
            status=more.pop("status", "ok"),
            usage=Usage(completion_tokens=tokens),
        ),
        verdict=Verdict(outcome=outcome, extracted=final),
        equations=more.pop("equations", count_equations(reasoning)),
        **more,
    )


def answers(arm: str, accuracies: dict[str, float], *, attempts: int = 1) -> list[Score]:
    """Return an arm's answers: hard questions are hard for every arm."""
    rng, found = random.Random(arm), []
    for task, accuracy in accuracies.items():
        for number in range(TASKS[task]):
            hardness = random.Random(f"{task} {number}").random()
            for problem, group in _asked(task, number):
                for index in range(attempts):
                    is_right = 0.8 * hardness + 0.2 * rng.random() < accuracy
                    outcome = "correct" if is_right else rng.choice(("wrong", "wrong", "unparsed"))
                    sum_ = 7 if rng.random() < accuracy else 8
                    text = f"I add 3 + 4 = {sum_}."
                    found.append(answer(task, problem, outcome, reasoning=text, index=index, group=group))
    return found


def _asked(task: str, number: int) -> list[tuple[str, str]]:
    if task == "mgsm":
        return [(f"de/{number}", "de"), (f"fr/{number}", "fr")]
    return [(f"{task}-{number}", "")]


def write_exam(run: Path, arms: dict[str, list[Score]], *, asked: dict | None = None, **entries: dict) -> Path:
    """Write a run of arms that are evaluated and nothing else; `entries` are more fields of arms.json by arm."""
    named = []
    for number, (name, scores) in enumerate(arms.items()):
        folder = f"arms/{name}/5-evaluate" if number else "5-evaluate"
        path = run / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "rows.jsonl").write_text("".join(score.model_dump_json() + "\n" for score in scores))
        tasks = {score.task: {"general": score.task == "mmlu"} for score in scores}
        (path / "report.json").write_text(json.dumps({"tasks": tasks}))
        counts = Counts(rows_in=len(scores), rows_out=len(scores))
        write_manifest(path, _manifest(asked or ASKED, counts))
        named.append({"name": name, "stages": {"evaluate": folder}, **entries.get(name, {})})
    (run / "arms.json").write_text(json.dumps({"arms": named}))
    return run


def _manifest(asked: dict, counts: Counts) -> Manifest:
    return Manifest(
        layout=LAYOUT,
        stage="evaluate",
        key="0" * 64,
        recipe=asked,
        outputs={},
        counts=counts,
        versions={"python": "3.11.9"},
        started="2026-11-21T07:00:00+00:00",
        seconds=1.0,
    )
