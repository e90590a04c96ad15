"""The books of a run: what each arm took of teacher, student and devices, round by round, and what that pays like.

An arm's bill is what its own rows took, as if it had been bought alone: arms share answers, and the sum over them is
not the run's.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ConfigDict

from cotdistill.records import Record, Usage
from cotdistill.report.book_values import Book, Books, RoundBook
from cotdistill.report.data import ArmReport, JsonRow
from cotdistill.report.one_sample import one_sample_arms
from cotdistill.scoring.clustered import ProblemResult
from cotdistill.scoring.token_curve import PaysLike, pays_like
from cotdistill.storage import jsonl
from cotdistill.storage.arms import ArmStages
from cotdistill.storage.run_folder import CHECKPOINT_ROWS, CHOICE_MADE, DEVICES, ROWS, SOLVED, SPENDING, read_manifest

ON_DEVICES = ("rollout", "rehearse", "train", "reinforce", "average")
"""Stages that keep a device at work before the exam."""
BY_STUDENT = ("rollout", "rehearse")
"""Stages whose rows are a student's answers."""
NO_SCIPY = "pip install 'cotdistill[eval]'"
"""What `pays like` needs where it is not there."""


class _Answer(Record):
    """A row of a stage that asks a model, as far as the books read it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    class Counted(Record):
        """Its completion."""

        model_config = ConfigDict(frozen=True, extra="ignore")

        usage: Usage = Usage()

    completion: Counted
    origin: str = "teacher"
    round: int = 1


class _Sum(NamedTuple):
    """What the rows of one stage took."""

    input_tokens: int = 0
    output_tokens: int = 0
    kept: Mapping[tuple[int, str], int] = {}
    """Rows by round and origin."""


def read_books(
    arms: Sequence[ArmStages], reports: Sequence[ArmReport], recipes: Mapping[str, JsonRow], run: Path
) -> Books:
    """Return what every arm took, and what it pays like. Raises: UserError where rows are damaged."""
    sums = cache(lambda folder: _sum(run / folder))
    found = {arm.name: _book(arm, recipes.get(arm.of or arm.name, {}), run, sums) for arm in arms}
    task = next((t for r in reports if r.scores for t in r.scores.tasks if t not in r.scores.general), "")
    line = one_sample_arms(recipes)
    paid: dict[str, PaysLike] = {}
    note = ""
    for group in _by_seed(arms):
        tokens = {arm.name: float(found[arm.name].teacher_tokens) for arm in group if (arm.of or arm.name) in line}
        try:
            paid |= _pays(tokens, {report.name: report for report in reports}, group, task)
        except ImportError:
            note = f"`pays like` needs scipy: {NO_SCIPY}"
    on_line = tuple(arm.name for arm in arms if (arm.of or arm.name) in line)
    return Books(task=task, arms=found, line=on_line, pays_like=paid, note=note)


def _by_seed(arms: Sequence[ArmStages]) -> Iterator[list[ArmStages]]:
    """Yield the arms of each training seed, with those that are trained by none of them."""
    seeds: list[int | None] = [*dict.fromkeys(arm.seed for arm in arms if arm.seed is not None)]
    for seed in seeds or [None]:
        yield [arm for arm in arms if arm.seed in (seed, None)]


def _pays(
    tokens: Mapping[str, float], reports: Mapping[str, ArmReport], group: Sequence[ArmStages], task: str
) -> dict[str, PaysLike]:
    """Return what the other arms of one seed pay like, of those that were asked the same problems as the line."""
    answers: dict[str, Mapping[str, ProblemResult]] = {}
    for arm in group:
        scores = reports[arm.name].scores
        if scores is not None and task in scores.results and arm.kind != "teacher":
            answers[arm.name] = scores.results[task]
    line = {name: spent for name, spent in tokens.items() if spent and name in answers}
    if len(set(line.values())) < 2:
        return {}
    asked = list(answers[next(iter(line))])
    same = {
        name: [results[problem] for problem in asked] for name, results in answers.items() if set(results) == set(asked)
    }
    found = pays_like({name: spent for name, spent in line.items() if name in same}, same, seed=0)
    return {name: worth for name, worth in found.items() if name not in line}


def _book(arm: ArmStages, recipe: JsonRow, run: Path, sums: Callable[[str], _Sum]) -> Book:
    rounds = arm.chains
    bought = [folder for stages in rounds for stage, folder in stages.items() if stage == "sample"]
    bills = [_bill(run / folder, sums(folder)) for folder in bought]
    input_tokens, output_tokens = sum(bill[0] for bill in bills), sum(bill[1] for bill in bills)
    said = [sums(folder) for stages in rounds for stage, folder in stages.items() if stage in BY_STUDENT]
    seconds = {
        folder: _device_seconds(run / folder)
        for stages in rounds
        for stage, folder in stages.items()
        if stage in ON_DEVICES
    }
    return Book(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        usd=_usd(recipe, input_tokens, output_tokens),
        student_tokens=sum(found.output_tokens for found in said) + _reinforced(arm, run),
        device_seconds=sum(seconds.values()),
        rounds=tuple(_rounds(rounds, run, sums)),
        average=_read_json(run / arm.stages["average"] / CHOICE_MADE) if "average" in arm.stages else None,
    )


def _rounds(rounds: Sequence[Mapping[str, str]], run: Path, sums: Callable[[str], _Sum]) -> Iterator[RoundBook]:
    """Yield what each round asked and solved, and what of it the last filter still holds."""
    last = next((stages["filter"] for stages in reversed(rounds) if "filter" in stages), None)
    kept = sums(last).kept if last is not None else {}
    for number, stages in enumerate(rounds, 1):
        manifest = read_manifest(run / stages["sample"]) if "sample" in stages else None
        tried = _read_json(run / stages["rollout"] / SOLVED) if "rollout" in stages else None
        yield RoundBook(
            number=number,
            asked=manifest.counts.rows_in if manifest else 0,
            answered=manifest.counts.rows_out if manifest else 0,
            tried=tried["problems"] if tried else None,
            solved=tried["solved"] if tried else None,
            kept={origin: rows for (of, origin), rows in kept.items() if of == number},
        )


def _sum(folder: Path) -> _Sum:
    """Return what the rows of a stage took; nothing of one that is not finished."""
    path = folder / ROWS
    if read_manifest(folder) is None or not path.is_file():
        return _Sum()
    input_tokens = output_tokens = 0
    kept: Counter[tuple[int, str]] = Counter()
    for row in jsonl.read(path, _Answer):
        input_tokens += row.completion.usage.prompt_tokens
        output_tokens += row.completion.usage.completion_tokens
        kept[row.round, row.origin] += 1
    return _Sum(input_tokens, output_tokens, dict(sorted(kept.items(), reverse=True)))


def _bill(folder: Path, rows: _Sum) -> tuple[int, int]:
    """Return tokens in and out of a stage that asks the teacher.

    Its own count has what came to nothing too, and leaves out what another arm has paid for: the larger one counts.
    """
    spent = _read_json(folder / SPENDING) or {}
    own = int(spent.get("input_tokens", 0)), int(spent.get("output_tokens", 0))
    return max(own, (rows.input_tokens, rows.output_tokens), key=sum)


def _usd(recipe: JsonRow, input_tokens: int, output_tokens: int) -> float | None:
    prices = (recipe.get("teacher") or {}).get("prices")
    if not prices:
        return None
    return float(input_tokens * prices["input"] + output_tokens * prices["output"]) / 1e6


def _reinforced(arm: ArmStages, run: Path) -> int:
    """Return the tokens that the student said while it learned from its own answers."""
    folder = arm.stages.get("reinforce")
    rows = run / folder / CHECKPOINT_ROWS if folder else None
    if rows is None or not rows.is_file():
        return 0
    with rows.open(encoding="utf-8") as lines:
        return int(json.loads(next(lines)).get("answer_tokens", 0))


def _device_seconds(folder: Path) -> float:
    """Return how long a stage kept devices at work; of several, each counts."""
    manifest = read_manifest(folder)
    processes = (_read_json(folder / DEVICES) or {}).get("processes", 1)
    return manifest.seconds * processes if manifest else 0.0


def _read_json(path: Path) -> JsonRow | None:
    """Return what a file says; None where it is not there, or damaged: it costs its own numbers alone."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
