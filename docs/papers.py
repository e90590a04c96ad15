"""The page docs/papers.md: what each paper found, and what its miniature measured: `python docs/papers.py`.

What is measured stands in docs/papers.yaml. Every miniature is run first; what is finished is not done again. The page
holds the hash of each recipe for a test.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from cotdistill.engines.local import cores
from cotdistill.records import Rejected, Score, Trace
from cotdistill.report.data import ArmReport, ReportData
from cotdistill.report.read import read_run
from cotdistill.report.wording import percent, points, points_range
from cotdistill.scoring.statistics import Interval, pair_up, paired_difference
from cotdistill.storage.jsonl import read
from cotdistill.storage.run_folder import REJECTED, ROWS

REPOSITORY = Path(__file__).parent.parent
EXAMPLES = REPOSITORY / "examples"
PAGE = REPOSITORY / "docs" / "papers.md"
FINDINGS = REPOSITORY / "docs" / "papers.yaml"
RUNS = "runs/papers"


@dataclass(frozen=True)
class Measured:
    """A difference of two shares on the same problems."""

    shares: tuple[float, float]
    difference: float
    ci95: Interval

    @property
    def shows(self) -> str:
        """Whether the finding shows: the interval leaves out zero, on the side that the paper found."""
        if self.ci95.low > 0:
            return "yes"
        return "**no, the contrary**" if self.ci95.high < 0 else "**no**: not told from chance"


class Finding(BaseModel):
    """One finding of a paper, and how its miniature measures it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: str
    """By the paper."""
    compared: str
    """By the miniature."""
    arm: str
    """The arm that is better, if the finding appears."""
    against: str
    of: Literal["accuracy", "right_answers", "closed_thoughts"] = "accuracy"
    """What is compared: the students' accuracy in a task, how many of the teacher's first answers are right, or how
    many thoughts the students close by themselves."""
    task: str = "holdout"

    def measure(self, data: ReportData, run: Path) -> Measured:
        """Return the difference between the two arms of a finished run. Raises: LookupError: it has none."""
        if self.of == "accuracy":
            return _accuracy(self, data, run)
        stage, read_shares = ("filter", _verdicts) if self.of == "right_answers" else ("evaluate", _closed)
        arms = {found.name: found for found in data.arms}
        return _counted(*(read_shares(run / arms[name].stages[stage].folder) for name in (self.arm, self.against)))


class System(BaseModel):
    """A paper's system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    """Of docs/papers/, without its ending; the recipe has the same name."""
    title: str
    findings: tuple[Finding, ...]
    before: tuple[str, ...] = ()
    """Recipes that are run before the miniature, which starts from what they leave."""
    folder: str = "papers"
    """Of examples/, where the recipes are."""

    @property
    def full(self) -> Path:
        """The recipe at full size."""
        return EXAMPLES / self.folder / f"{self.page}.yaml"

    @property
    def recipes(self) -> tuple[Path, ...]:
        """What is run, in order; the miniature is the last."""
        return tuple(EXAMPLES / self.folder / f"{name}.yaml" for name in (*self.before, f"{self.page}_miniature"))


SYSTEMS = TypeAdapter(tuple[System, ...]).validate_python(yaml.safe_load(FINDINGS.read_text(encoding="utf-8")))


def _accuracy(finding: Finding, data: ReportData, run: Path) -> Measured:
    arms = {found.name: found for found in data.arms}
    for pair in data.pairs:
        if {pair.arm, pair.comparison.against} == {finding.arm, finding.against}:
            paired = pair.comparison.tasks[finding.task]
            found = paired if pair.arm == finding.arm else paired.mirrored
            scores = (_scores(arms[name], finding.task) for name in (finding.arm, finding.against))
            return Measured((next(scores), next(scores)), found.difference, found.ci95)
    raise LookupError(f"{run}: {finding.arm} and {finding.against} were not asked the same problems")


def _counted(here: Mapping[str, bool], there: Mapping[str, bool]) -> Measured:
    """Return how much more often something is so here than there, of the problems of both."""
    counts = pair_up((here[problem], there[problem]) for problem in here.keys() & there.keys())
    found = paired_difference(counts)
    shares = ((counts.both + counts.gained) / counts.n, (counts.both + counts.lost) / counts.n)
    return Measured(shares, found.difference, found.ci95)


def page(rows: Sequence[str]) -> str:
    """Return the page around the rows of its table."""
    heads = ("system", "recipe", "the paper found", "the miniature compared", "measured", "difference (95 %)", "shows")
    return "\n".join(
        [
            "# The papers in miniature\n",
            "Written by `make papers`, which runs a small form of each system on the embedded teacher and students of",
            "about a million parameters. A miniature shows whether a finding appears; the numbers of the papers are of",
            "other models and tasks. Differences are in percentage points, on the same problems; each student was",
            "trained once, and the intervals say what other problems would change. Another training changes more: with",
            "two threads in place of one, single students here moved by up to 19 points.\n",
            f"| {' | '.join((*heads, 'date'))} |",
            f"|{'---|' * (len(heads) + 1)}",
            *rows,
            "",
            "The recipes that were run:\n",
            *(f"* `{path.relative_to(REPOSITORY)}` sha256 `{digest}`" for path, digest in hashes().items()),
            "",
        ]
    )


def hashes() -> Mapping[Path, str]:
    """Return the hash of every recipe that is run."""
    recipes = (path for system in SYSTEMS for path in system.recipes)
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in recipes}


def recorded_hashes(text: str) -> dict[Path, str]:
    """Return the hashes that a page holds."""
    lines = re.findall(r"^\* `(.+)` sha256 `([0-9a-f]{64})`$", text, re.M)
    return {REPOSITORY / name: digest for name, digest in lines}


def run(system: System, runs: Path, *, since: float) -> None:
    """Run a system's recipes; what is done is not done again.

    `since`: Unix seconds; untrained students that other runs made later are taken over.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # sums of floats are other ones with more threads
    for recipe in system.recipes:
        take_bases(runs, runs / recipe.stem.replace("_", "-"), since=since)
        command = [sys.executable, "-m", "cotdistill", "run", str(recipe), "--runs", str(runs)]
        command += settings(recipe, runs)
        subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL, env=environment)


def take_bases(runs: Path, folder: Path, *, since: float) -> None:
    """Copy untrained students to a run: the same seed and options make the same one, and teaching it takes a minute."""
    for base in sorted(runs.glob("*/base/*")):
        there = folder / "base" / base.name
        if base.suffix != ".partial" and base.stat().st_mtime >= since and not there.exists():
            copy = there.with_name(f"{there.name}.partial")
            shutil.copytree(base, copy, dirs_exist_ok=True)
            copy.rename(there)  # another run may look for it meanwhile


def settings(recipe: Path, runs: Path) -> list[str]:
    """Return what moves the runs that a recipe starts from to this folder of runs."""
    named = _named_runs(yaml.safe_load(recipe.read_text(encoding="utf-8")))
    return [part for key, path in named for part in ("--set", f"{key}={runs}{path.removeprefix(RUNS)}")]


def _named_runs(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key whose value is a path below RUNS, and the path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _named_runs(inner, f"{key}.{name}".removeprefix("."))
    elif isinstance(value, str) and value.startswith(f"{RUNS}/"):
        yield key, value


def measured_rows(system: System, runs: Path) -> list[str]:
    """Return a system's rows of the table, from its finished run."""
    folder = runs / system.recipes[-1].stem.replace("_", "-")
    data = read_run(folder)
    rows = []
    for finding in system.findings:
        found = finding.measure(data, folder)
        cells = (
            f"[{system.title}](papers/{system.page}.md)",
            f"{_link(system.page, system.full)}, {_link('miniature', system.recipes[-1])}",
            finding.found,
            finding.compared,
            f"{percent(found.shares[0])} against {percent(found.shares[1])}",
            f"{points(found.difference)} ({points_range(found.ci95)})",
            found.shows,
            data.created[:10],
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _link(text: str, path: Path) -> str:
    return f"[{text}](../{path.relative_to(REPOSITORY)})"


def _scores(arm: ArmReport, task: str) -> float:
    assert arm.scores is not None, "the arm was evaluated"
    return arm.scores.tasks[task].accuracy or 0.0


def _closed(folder: Path) -> dict[str, bool]:
    """Return for each problem whether the student closed its thought by itself."""
    return {score.problem.id: score.thought == "closed" for score in read(folder / ROWS, Score)}


def _verdicts(folder: Path) -> dict[str, bool]:
    """Return for each problem whether the teacher's first answer is right, dropped ones included."""
    dropped = [row.row for row in read(folder / REJECTED, Rejected) if isinstance(row.row, Trace)]
    first = [trace for trace in (*read(folder / ROWS, Trace), *dropped) if trace.completion.index == 0]
    return {trace.problem.id: trace.verdict.outcome == "correct" for trace in first if trace.verdict is not None}


def main() -> None:
    """Run the miniatures and write the page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--runs", type=Path, default=REPOSITORY / RUNS)
    parser.add_argument("--finished", action="store_true", help="run nothing: the runs are there")
    parser.add_argument(
        "--jobs", type=int, default=cores(), help="systems that run at once; default: one for each core"
    )
    given = parser.parse_args()
    run_one = partial(run, runs=given.runs.resolve(), since=time.time())
    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(run_one, () if given.finished else SYSTEMS))
    PAGE.write_text(page([row for system in SYSTEMS for row in measured_rows(system, given.runs)]), encoding="utf-8")


if __name__ == "__main__":
    main()
