"""A run folder as the pipeline leaves it, made of seeded synthetic rows."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cotdistill.records import Completion, Problem, Score, Trace, Usage, Verdict
from cotdistill.storage.run_folder import LAYOUT, Counts, Manifest, write_manifest

STARTED = "2026-11-21T07:{:02}:00+00:00"
RECIPE = {
    "problems": {"dataset": "quickstart_problems", "limit": 4800},
    "teacher": {"kind": "demo", "model": "demo-teacher"},
    "verifier": {"kind": "numeric"},
    "student": {"kind": "full", "model": "tiny-qwen2"},
}
ACCURACIES = {"filtered": 0.967, "unfiltered": 0.913, "answer_only": 0.267, "baseline": 0.023}

RunMaker = Callable[..., Path]


def finish(folder: Path, stage: str, minute: int, counts: Counts, seconds: float) -> None:
    """Write the manifest of a stage."""
    manifest = Manifest(
        layout=LAYOUT,
        stage=stage,
        key="0" * 64,
        recipe={"options": {}, "roles": {}, "inputs": {}},
        outputs={},
        counts=counts,
        versions={"python": "3.11.9", "cotdistill": "0.1.0", "torch": "2.13.0"},
        started=STARTED.format(minute),
        seconds=seconds,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, manifest)


def write_rows(path: Path, rows: list) -> None:
    """Write records or plain objects, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else row.model_dump_json() for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def problem(number: int) -> Problem:
    """Return a word problem with its answer."""
    rng = random.Random(number)
    have, buys, gives = rng.randint(20, 99), rng.randint(2, 40), rng.randint(2, 19)
    question = f"Mia has {have} apples. She buys {buys} more and gives {gives} to Tom. How many are left?"
    return Problem(id=f"p{number}", question=question, gold=str(have + buys - gives))


def completion(rng: random.Random, answer: str, *, index: int = 0, tokens: int = 0) -> Completion:
    """Return an answer with a rationale."""
    tokens = tokens or max(9, round(rng.lognormvariate(3.4, 0.35)))
    reasoning = "First I count what she has. Then I add what she buys. " * 3
    return Completion(
        key="k" * 64,
        index=index,
        text=f"She is left with {answer} apples. The answer is {answer}.",
        reasoning=reasoning,
        usage=Usage(prompt_tokens=34, completion_tokens=tokens),
    )


def score(rng: random.Random, number: int, outcome: str, *, task: str = "holdout", arm: str = "") -> Score:
    """Return one graded answer."""
    asked = problem(number)
    found = asked.gold if outcome == "correct" else str(int(asked.gold or 0) + rng.randint(1, 9))
    answer = completion(rng, found or "", tokens=3 if arm == "answer_only" else 0)
    if outcome == "unparsed":
        answer = answer.model_copy(update={"text": "", "status": "truncated"})
        found = None
    verdict = Verdict(outcome=outcome, extracted=found, reason="last number")
    return Score(task=task, problem=asked, completion=answer, verdict=verdict)


def scores(arm: str, accuracy: float, n: int, task: str) -> list[Score]:
    """Return an arm's evaluation: hard problems are hard for every arm, so that the arms are paired."""
    rng = random.Random(f"{arm} {task}")
    found = []
    for number in range(n):
        shared, own = random.Random(f"{task} {number}").random(), rng.random()
        hardness = shared if rng.random() < 0.7 else own
        wrong = "unparsed" if rng.random() < 0.1 else "wrong"
        found.append(score(rng, number, "correct" if hardness < accuracy else wrong, task=task, arm=arm))
    return found


def losses(arm: str, steps: int) -> list[str]:
    """Return the rows of a metrics.jsonl: noisy, falling, two odd rows at the end."""
    rng = random.Random(arm)
    floor = 0.9 if arm == "answer_only" else 0.06 + 0.1 * rng.random()
    rows = []
    for step in range(10, steps + 1, 10):
        loss = (floor + 2.9 * 0.996**step) * (1 + 0.12 * rng.gauss(0, 1))
        rows.append(json.dumps({"step": step, "loss": loss, "grad_norm": 0.7, "learning_rate": 3e-3, "epoch": 0.1}))
    rows.append(json.dumps({"step": steps, "loss": None, "grad_norm": None}))
    return [*rows, json.dumps({"step": steps, "train_runtime": 70.2})]


@pytest.fixture
def make_run(tmp_path: Path) -> RunMaker:
    """Return a function that writes a run folder and returns it."""

    def make(accuracies=None, *, tasks=("holdout",), n=300, traces=40, pending=(), name="quickstart") -> Path:
        return write_run(tmp_path / name, accuracies or ACCURACIES, tasks=tasks, n=n, traces=traces, pending=pending)

    return make


def write_run(run: Path, accuracies: dict[str, float], *, tasks, n: int, traces: int, pending) -> Path:
    """Write a run: the first arm's stages stand in the run folder, other arms own what differs."""
    arms = []
    for arm_number, (arm, accuracy) in enumerate(accuracies.items()):
        own = f"arms/{arm}/" if arm_number else ""
        stages = {
            "sample": "1-sample",
            "filter": "arms/unfiltered/2-filter" if arm == "unfiltered" else "2-filter",
            "convert": f"{own}3-convert",
            "train": f"{own}4-train",
            "evaluate": f"{own}5-evaluate",
        }
        if arm == "baseline":
            stages = {"evaluate": stages["evaluate"]}
        arms.append({"name": arm, "stages": stages})
        for stage, folder in stages.items():
            if (arm, stage) not in pending and not (run / folder / "manifest.json").exists():
                _write_stage(run / folder, stage, arm, traces, scores_of(arm, accuracy, tasks, n))
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.resolved.json").write_text(json.dumps({"main": RECIPE, "filtered": RECIPE}), encoding="utf-8")
    (run / "arms.json").write_text(json.dumps({"arms": arms}), encoding="utf-8")
    return run


def scores_of(arm: str, accuracy: float, tasks, n: int) -> list[Score]:
    """Return the graded answers of all tasks."""
    return [row for task in tasks for row in scores(arm, accuracy, n, task)]


def _write_stage(folder: Path, stage: str, arm: str, traces: int, graded: list[Score]) -> None:
    asked, answered = traces + 12, traces
    kept = answered if arm == "unfiltered" else round(0.85 * answered)
    wrong = answered - kept
    rng = random.Random(stage)
    if stage == "sample":
        failed = {"timeout": 9, "refused": 3}
        finish(folder, stage, 1, Counts(rows_in=asked, rows_out=answered, rejected=12, reasons=failed), 42.3)
    elif stage == "filter":
        kept_rows = [Trace(problem=problem(i), completion=completion(rng, problem(i).gold or "")) for i in range(kept)]
        write_rows(folder / "rows.jsonl", kept_rows)
        reasons = {"unparsed": wrong // 10, "wrong": wrong - wrong // 10} if wrong else {}
        finish(folder, stage, 2, Counts(rows_in=answered, rows_out=kept, rejected=wrong, reasons=reasons), 0.8)
    elif stage == "convert":
        finish(folder, stage, 3, Counts(rows_in=kept, rows_out=kept), 0.3)
    elif stage == "train":
        write_rows(folder / "metrics.jsonl", losses(arm, 2000))
        counts = Counts(rows_in=kept, rows_out=kept - 2, rejected=2, reasons={"overlong": 2})
        finish(folder, stage, 4, counts, 71.4)
    else:
        write_rows(folder / "rows.jsonl", list(graded))
        finish(folder, stage, 6, Counts(rows_in=len(graded), rows_out=len(graded)), 9.6)
