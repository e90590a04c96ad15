"""Every command; the only module that prints results or exits.

Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 bug, 2 the user's input, 3 key or balance refused,
5 run folder in use, 75 try again later, 130/143 interrupted, otherwise the training worker's own code.
"""

import errno
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cotdistill import __version__
from cotdistill.errors import Interrupted, TryAgainLater, UserError

if TYPE_CHECKING:
    from cotdistill.recipe import Recipe

app = typer.Typer(
    help="Chain-of-thought distillation from one YAML recipe: teacher, filter, student, measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: runs/<name>.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override a key of the recipe; may be repeated."),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder of the run folders.")]
Redo = Annotated[
    str | None,
    typer.Option(
        "--redo",
        metavar="STAGE",
        help="Do this stage again, and what its change changes; old folders are kept.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RUNS = Path("runs")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"cotdistill {__version__}")
        raise typer.Exit


@app.command()
def run(recipe: RecipeFile, overrides: Set = None, redo: Redo = None, runs: Runs = RUNS, as_json: Json = False) -> None:
    """Do every stage of a recipe that is not done yet, then report."""
    _run(recipe, overrides, redo=redo, runs=runs, only=None, as_json=as_json)


def _stage_command(name: str, text: str) -> None:
    def command(
        recipe: RecipeFile, overrides: Set = None, redo: Redo = None, runs: Runs = RUNS, as_json: Json = False
    ) -> None:
        _run(recipe, overrides, redo=redo, runs=runs, only=name, as_json=as_json)

    app.command(name, help=text)(command)


for _name, _text in {
    "sample": "Ask the teacher; every answer is stored before anything looks at it.",
    "filter": "Keep the traces worth learning from, and say why the others are not.",
    "convert": "Write the kept traces as a registered data set.",
    "train": "Train the student; takes openMind's flat recipes as they are.",
    "evaluate": "Let the student answer held-out problems and grade it.",
}.items():
    _stage_command(_name, _text)


@app.command()
def check(recipe: RecipeFile, overrides: Set = None, runs: Runs = RUNS) -> None:
    """Check everything that can be known before money or hours are spent."""
    from cotdistill.pipeline import Pipeline, Request

    with _logging(None):
        loaded = _recipe(recipe, overrides)
        pipeline = Pipeline(loaded, Request(runs=runs))
        pipeline.check()
        for step in pipeline.plan.steps:
            typer.echo(f"{step.folder}: {step.stage.summary}")
        typer.echo(f"{recipe}: no fault found")


@app.command()
def status(run_folder: RunFolder, as_json: Json = False) -> None:
    """Show which stages of a run are done, and their counts."""
    from cotdistill.status import run_status

    states = run_status(run_folder)
    if as_json:
        typer.echo(json.dumps({"run": run_folder.name, "stages": [s._asdict() for s in states]}, indent=1))
        return
    for state in states:
        typer.echo(f"{state.folder:<32} {state.state:<12} {state.detail}")


@app.command()
def report(run_folder: RunFolder, as_json: Json = False) -> None:
    """Compare the arms of a run: a table, and report.html in its folder."""
    _report(run_folder, as_json=as_json)


@app.command()
def verify(
    cases: Annotated[Path, typer.Argument(metavar="CASES.jsonl", help="Rows of {gold, pred, expect?}.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="The verifier to measure.")] = "numeric",
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one verdict a line, in input order.")] = None,
) -> None:
    """Measure a verifier on labelled answers: precision, recall, speed, disagreements."""
    from cotdistill import registry
    from cotdistill.rows import AtomicFile
    from cotdistill.verification import Measurement, judge_cases, read_cases
    from cotdistill.yamlfile import nearest

    known = registry.kinds("verifiers")
    if kind not in known:
        raise UserError(f"no verifier `{kind}`", "--kind", nearest(kind, list(known)))
    measurement = Measurement()
    judged = judge_cases(read_cases(cases), registry.make("verifiers", kind), measurement)
    if out is None:
        for _ in judged:
            pass
    else:
        with AtomicFile(out) as file:
            for row in judged:
                file.write_row(row.verdict)
    if as_json:
        typer.echo(json.dumps(measurement.as_json()))
        return
    from cotdistill.terminal import verification_text

    typer.echo(verification_text(kind, measurement))


@app.command()
def kinds(family: Annotated[str | None, typer.Argument(help="One family only.")] = None) -> None:
    """List what a recipe can choose, with options and defaults."""
    from cotdistill.reference import kinds_text

    typer.echo(kinds_text(family))


@app.command()
def schema() -> None:
    """Print the JSON schema of a recipe, for editors."""
    from cotdistill.reference import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=1, ensure_ascii=False))


@app.command("demo-teacher")
def demo_teacher(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on the loopback interface.")] = 8000,
    seed: Annotated[int, typer.Option(help="Seed of its wording and its slips.")] = 0,
    error_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of wrong answers.")] = 0.15,
    api_key: Annotated[str, typer.Option(help="The key it accepts.")] = "demo",
) -> None:
    """Serve the embedded teacher, an OpenAI-compatible endpoint on loopback, until Ctrl-C."""
    from cotdistill.demo.teacher import serve_forever

    with _logging(None):
        serve_forever(port=port, seed=seed, error_rate=error_rate, api_key=api_key)


def main() -> NoReturn:
    """Run the command line; turn every expected fault into its line and its exit code."""
    try:
        app()
    except UserError as error:
        for line in error.lines():
            typer.echo(f"error: {line}", err=True)
        sys.exit(error.exit_code)
    except Interrupted as error:
        typer.echo(error.message, err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        typer.echo(
            f"error: {error.filename or 'a file'}: the disk is full (make space, then the same command)", err=True
        )
        sys.exit(TryAgainLater.exit_code)
    sys.exit(0)


def _run(
    recipe: Path,
    overrides: list[str] | None,
    *,
    redo: str | None,
    runs: Path,
    only: str | None,
    as_json: bool,
) -> None:
    from cotdistill.pipeline import Pipeline, Request
    from cotdistill.stage import stages
    from cotdistill.terminal import progress

    if redo is not None and redo not in stages():
        raise UserError(f"no stage `{redo}`", "--redo", f"stages: {', '.join(stages())}")
    with _logging(None):
        loaded = _recipe(recipe, overrides)
        pipeline = Pipeline(loaded, Request(runs=runs, only=only, redo=redo, progress=progress))
    with _logging(pipeline.folder):
        outcome = pipeline.run()
    if outcome.skipped:
        typer.echo(f"already done: {', '.join(outcome.skipped)}", err=True)
    if only in (None, "evaluate") and getattr(loaded.main, "evaluate", None) is not None:
        _report(outcome.folder, as_json=as_json)
    elif as_json:
        typer.echo(json.dumps({"run": str(outcome.folder), "done": outcome.done, "skipped": outcome.skipped}))
    else:
        typer.echo(f"{recipe}: done, in {outcome.folder}")


def _report(folder: Path, *, as_json: bool) -> None:
    from cotdistill.report.as_json import as_json as to_json
    from cotdistill.report.page import write_page
    from cotdistill.report.read import read_run
    from cotdistill.report.table import table

    data = read_run(folder)
    page = folder / "report.html"
    write_page(data, page)
    if as_json:
        typer.echo(json.dumps(to_json(data), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(table(data))
    typer.echo(f"report: {page}", err=True)


def _recipe(path: Path, overrides: list[str] | None) -> "Recipe":
    from cotdistill.recipe import read_recipe

    return read_recipe(path, overrides=overrides or ())


def _logging(folder: Path | None) -> Any:  # Any: a context manager of a module that loads late
    from cotdistill.terminal import logging_to

    return logging_to(folder / "run.log" if folder else None)


if __name__ == "__main__":
    main()
