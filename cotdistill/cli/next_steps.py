"""What comes before and after a run, in lines to copy: what will be done, what a stage did, what to type next."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.cli.app import RUNS, command_names
from cotdistill.cli.output import echo, echo_json, say
from cotdistill.cli.report import write_report

if TYPE_CHECKING:
    from cotdistill.pipeline.options import RunResult
    from cotdistill.pipeline.pipeline import Pipeline
    from cotdistill.storage.run_folder import Counts

COMMAND = "cotdistill-cli"
DID = {
    "sample": "got {out} answers to {rows}",
    "filter": "kept {out} of {rows}",
    "convert": "wrote {out} conversations of {rows} traces",
    "train": "learned from {rows} conversations",
}
"""What a stage did, by its counts; of any other rows in and out are said."""
LOOKS = {
    "status": "what each stage did",
    "view": "read every trace and answer in a browser",
    "show": "read some of them here",
    "chat": "talk to the student",
    "push": "what would be published; add a name to send it",
}
"""Commands on a finished run, where there are such, and what they are for."""
DEMO_S_PER_STEP = 0.08
"""Of the demo student on two cores, sampling and evaluation included: the quickstart's 4,400 steps take six minutes."""


def program() -> str:
    """Return the command as its user wrote it, so that a line that begins with it runs where this one did."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        python = shutil.which("python")
        is_python = python is not None and Path(python) == Path(sys.executable)
        return f"{'python' if is_python else shlex.quote(sys.executable)} -m cotdistill"
    found = shutil.which(COMMAND)
    if len(called.parts) == 1 or (found is not None and Path(found).resolve() == called.resolve()):
        return COMMAND
    return shlex.quote(sys.argv[0])


def say_what_comes(pipeline: "Pipeline") -> None:
    """Say before a first run what the quickstart's teacher and student will do, and for how long."""
    main, plan = pipeline.recipe.main, pipeline.plan
    if pipeline.folder.exists() or main.student is None or not main.student.kind.startswith("demo"):
        return
    trained = [step for step in plan.steps if step.stage.name == "train"]
    steps = sum(max(0, getattr(step.options, "max_steps", 0)) for step in trained)
    steps += int(getattr(main.student, "base_steps", 0))
    minutes = max(1, round(steps * DEMO_S_PER_STEP / 60))
    names = ", ".join(stage.name for stage in main.chain())
    arms = f" for {len(pipeline.recipe.arms)} arms" if main.arms else ""
    lasts = "a minute" if minutes == 1 else f"{minutes} minutes"
    say(f"{main.name}: {names}{arms}: {len(plan.steps)} stages in all, about {lasts} on two cores")


def print_end(pipeline: "Pipeline", outcome: "RunResult", *, as_json: bool) -> None:
    """Print what was found, or what was done, and what can be done next."""
    loaded, only, folder = pipeline.recipe, pipeline.options.only, outcome.folder
    if outcome.skipped:
        say(f"already done: {', '.join(outcome.skipped)}")
    if only in (None, "evaluate") and loaded.main.evaluate is not None:
        write_report(folder, "json" if as_json else "html")
    elif as_json:
        echo_json({"run": str(folder), "done": outcome.done, "skipped": outcome.skipped}, indent=None)
    elif only is None:
        echo(f"{loaded.source.path}: done, in {folder}")
    else:
        echo(stage_end(pipeline, only))
    if only is None and not as_json:
        say_next(pipeline)


def say_next(pipeline: "Pipeline") -> None:
    """Say what can be done with a finished run, a command a line."""
    from cotdistill.records import Checkpoint

    folder, known = pipeline.folder, command_names()
    left_out = set() if any(step.stage.writes is Checkpoint for step in pipeline.plan.steps) else {"chat"}
    left_out |= {"status"} if pipeline.recipe.main.evaluate is not None else set()
    named = [name for name in LOOKS if name in known and name not in left_out]
    lines = [f"{program()} {name} {shlex.quote(str(folder))}" for name in named]
    say("Next:")
    width = max(map(len, lines))
    for line, name in zip(lines, named, strict=True):
        say(f"  {line:<{width}}  # {LOOKS[name]}")


def stage_end(pipeline: "Pipeline", stage: str) -> str:
    """Return a line on what each step of a stage did, and the command that comes next."""
    from cotdistill.storage.run_folder import read_manifest

    lines = []
    for step in pipeline.plan.steps:
        manifest = read_manifest(pipeline.folder / step.folder)
        if step.stage.name == stage and manifest is not None:
            name = stage if step.folder.count("/") == 0 else step.folder
            lines.append(f"{name}: {_did(stage, manifest.counts)}")
    return "\n".join(lines) + f". Next: {_next_command(pipeline, stage)}"


def _did(stage: str, counts: "Counts") -> str:
    if stage not in DID:
        return str(counts)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.reasons.items())
    said = DID[stage].format(out=f"{counts.rows_out:,}", rows=f"{counts.rows_in:,}")
    return f"{said} ({reasons})" if reasons else said


def _next_command(pipeline: "Pipeline", stage: str) -> str:
    """Return the command that comes after a stage: the next one of the recipe, or what looks at the run."""
    names = list(dict.fromkeys(step.stage.name for step in pipeline.plan.steps))
    later = names[names.index(stage) + 1 :] if stage in names else []
    if not later:
        return f"{program()} status {shlex.quote(str(pipeline.folder))}"
    loaded, runs = pipeline.recipe, pipeline.options.runs
    words = [str(loaded.source.path), *(word for override in loaded.overrides for word in ("--set", override))]
    words += [] if loaded.limit is None else ["--limit", str(loaded.limit)]
    words += [] if runs == RUNS else ["--runs", str(runs)]
    return f"{program()} {later[0]} {shlex.join(words)}"
