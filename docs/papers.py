"""The page docs/papers.md: what each paper found, and what its miniature measured: `python docs/papers.py`.

Every miniature is run first; what is finished is not done again. The page holds the hash of each recipe for a test.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cotdistill.records import Rejected, Trace
from cotdistill.report.data import ArmReport, ReportData
from cotdistill.report.read import read_run
from cotdistill.report.wording import percent, points, points_range
from cotdistill.scoring.statistics import Interval, pair_up, paired_difference
from cotdistill.storage.jsonl import read
from cotdistill.storage.run_folder import REJECTED, ROWS

REPOSITORY = Path(__file__).parent.parent
EXAMPLES = REPOSITORY / "examples"
PAGE = REPOSITORY / "docs" / "papers.md"
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


Measure = Callable[[ReportData, Path], Measured]


@dataclass(frozen=True)
class Finding:
    """One finding of a paper, and how its miniature measures it."""

    found: str
    """By the paper."""
    compared: str
    """By the miniature."""
    measure: Measure


@dataclass(frozen=True)
class System:
    """A paper's system."""

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


def accuracy(arm: str, other: str, *, task: str = "holdout") -> Measure:
    """Return what measures how much more of a task one arm gets right than another."""

    def measure(data: ReportData, run: Path) -> Measured:
        arms = {found.name: found for found in data.arms}
        for pair in data.pairs:
            paired = pair.comparison.tasks[task]
            if {pair.arm, pair.comparison.against} == {arm, other}:
                found = paired if pair.arm == arm else paired.mirrored
                shares = (_scores(arms[arm], task), _scores(arms[other], task))
                return Measured(shares, found.difference, found.ci95)
        raise LookupError(f"{run}: {arm} and {other} were not asked the same problems")

    return measure


def right_answers(arm: str, other: str) -> Measure:
    """Return what measures how many more of the teacher's answers are right in one arm than in another."""

    def measure(data: ReportData, run: Path) -> Measured:
        arms = {found.name: found for found in data.arms}
        here, there = (_verdicts(run / arms[name].stages["filter"].folder) for name in (arm, other))
        counts = pair_up((here[problem], there[problem]) for problem in here.keys() & there.keys())
        found = paired_difference(counts)
        shares = ((counts.both + counts.gained) / counts.n, (counts.both + counts.lost) / counts.n)
        return Measured(shares, found.difference, found.ci95)

    return measure


SYSTEMS: tuple[System, ...] = (
    System(
        "gsm8k_cot",
        "FLAN-T5 on GSM8K",
        (
            Finding(
                "A T5 learns to answer behind `solve: ` from worked answers",
                "the trained student against the untrained one",
                accuracy("worked_answers", "baseline"),
            ),
            Finding(
                "Worked answers teach more than bare ones; on GSM8K the smallest students show the contrary",
                "worked answers against bare ones",
                accuracy("worked_answers", "answer_only"),
            ),
            Finding(
                "A student that is tuned on one task forgets others",
                "a task that is not taught: the untrained student against the trained one",
                accuracy("baseline", "worked_answers", task="letters"),
            ),
        ),
        folder="flan-t5",
    ),
    System(
        "fine_tune_cot",
        "Fine-tune-CoT (Ho et al. 2023)",
        (
            Finding(
                "Several rationales per problem teach more than one: 12.2 to 21.1 on MultiArith with flan-t5-base",
                "four rationales per problem against one",
                accuracy("four_rationales", "one_rationale"),
            ),
            Finding(
                "Rationales teach what answers alone do not",
                "one rationale per problem against the bare answer",
                accuracy("one_rationale", "answer_only"),
            ),
        ),
    ),
    System(
        "hinted_teacher",
        "Teaching small models to reason (Magister et al. 2023)",
        (
            Finding(
                "A teacher that is shown the answer gives more right rationales",
                "the teacher's right answers, with the hint against without",
                right_answers("hinted", "unhinted"),
            ),
            Finding(
                "A student learns more from a teacher that gives more right rationales",
                "the student taught with the hint in the teacher's prompt against without",
                accuracy("hinted", "unhinted"),
            ),
            Finding(
                "More of these rationales teach more",
                "all rows against a quarter of them",
                accuracy("hinted", "a_quarter"),
            ),
        ),
    ),
    System(
        "four_formats",
        "Specializing smaller models (Fu et al. 2023)",
        (
            Finding(
                "Rows with worked examples keep the ability to use them; rows without lose it",
                "asked with an example: taught with and without them against taught without",
                accuracy("mixture_shown", "zero_shot_only_shown"),
            ),
            Finding(
                "Matching the teacher's distribution (KL) is more stable than likelihood (NLL)",
                "asked without examples: KL on the teacher's five likeliest tokens against NLL",
                accuracy("zero_shot_only", "likelihood"),
            ),
        ),
    ),
    System(
        "cot_collection_two_step",
        "The CoT Collection (Kim et al. 2023)",
        (
            Finding(
                "Rationales of many tasks first help to learn a domain from few: +2.24 and +2.37 points over Flan-T5",
                "many tasks, then the domain, against as many steps on the domain alone",
                accuracy("two_steps", "one_step"),
            ),
        ),
        before=("cot_collection_broad_miniature",),
    ),
)


def page(rows: Sequence[str]) -> str:
    """Return the page around the rows of its table."""
    heads = ("system", "recipe", "the paper found", "the miniature compared", "measured", "difference (95 %)", "shows")
    return "\n".join(
        [
            "# The papers in miniature\n",
            "Written by `make papers`, which runs a small form of each system on the embedded teacher and students of",
            "about a million parameters. A miniature shows whether a finding appears; the numbers of the papers are of",
            "other models and tasks. Differences are in percentage points, on the same problems.\n",
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


def run(system: System, runs: Path) -> None:
    """Run a system's recipes; what is done is not done again."""
    for recipe in system.recipes:
        command = [sys.executable, "-m", "cotdistill", "run", str(recipe), "--runs", str(runs)]
        subprocess.run([*command, *settings(recipe, runs)], check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)


def settings(recipe: Path, runs: Path) -> list[str]:
    """Return what moves the runs that a recipe starts from to this folder of runs."""
    registry = yaml.safe_load(recipe.read_text(encoding="utf-8")).get("data", {}).get("registry", "")
    return ["--set", f"data.registry={runs}{registry.removeprefix(RUNS)}"] if registry.startswith(RUNS) else []


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
    given = parser.parse_args()
    for system in () if given.finished else SYSTEMS:
        run(system, given.runs.resolve())
    PAGE.write_text(page([row for system in SYSTEMS for row in measured_rows(system, given.runs)]), encoding="utf-8")


if __name__ == "__main__":
    main()
