"""Commands on a recipe."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cotdistill.cli.app import (
    NODE_TIMEOUT_S,
    PIPELINE,
    RUNS,
    Json,
    Limit,
    NodeTimeout,
    NoProbe,
    On,
    RecipeFile,
    Redo,
    Runs,
    Set,
    Shards,
    app,
    logging_to,
    open_engine,
    open_pipeline,
    read,
)
from cotdistill.cli.dry_run import print_commands
from cotdistill.cli.next_steps import print_end, say_what_comes
from cotdistill.cli.output import echo, echo_json
from cotdistill.cli.signals import stopped_by_term
from cotdistill.errors import UserError
from cotdistill.nodes.cluster import read_cluster
from cotdistill.stages import ORDER, read_help_line

if TYPE_CHECKING:
    from cotdistill.engines.ray import RayEngine


@app.command(rich_help_panel=PIPELINE)
def run(
    recipe: RecipeFile,
    overrides: Set = None,
    limit: Limit = None,
    redo: Redo = None,
    runs: Runs = RUNS,
    node_timeout: NodeTimeout = NODE_TIMEOUT_S,
    on: On = None,
    shards: Shards = None,
    no_probe: NoProbe = False,
    as_json: Json = False,
) -> None:
    """Do every stage of a recipe that is not done yet, then report."""
    given = _Given(recipe, overrides, limit, redo, runs, no_probe, as_json)
    _run(given, only=None, timeout_s=node_timeout, engine=open_engine(on, shards))


class _Given(NamedTuple):
    """What every command that runs stages is given."""

    recipe: Path
    overrides: list[str] | None
    limit: int | None
    redo: str | None
    runs: Path
    no_probe: bool
    as_json: bool


RESUMABLE = ("run", *ORDER)
"""Commands that go on where they were stopped."""


def _keys(name: str) -> str:
    return f"What the recipe says under `{name}:` is listed by: cotdistill-cli kinds {name}"


def _stage_command(name: str, text: str) -> None:
    def command(
        recipe: RecipeFile,
        overrides: Set = None,
        limit: Limit = None,
        redo: Redo = None,
        runs: Runs = RUNS,
        no_probe: NoProbe = False,
        as_json: Json = False,
    ) -> None:
        _run(_Given(recipe, overrides, limit, redo, runs, no_probe, as_json), only=name)

    app.command(name, help=text, epilog=_keys(name), rich_help_panel=PIPELINE)(command)


def _block_command(name: str, text: str) -> None:
    """Add the command of a stage that works on blocks of rows, which a cluster can."""

    def command(
        recipe: RecipeFile,
        overrides: Set = None,
        limit: Limit = None,
        redo: Redo = None,
        runs: Runs = RUNS,
        on: On = None,
        no_probe: NoProbe = False,
        as_json: Json = False,
    ) -> None:
        _run(_Given(recipe, overrides, limit, redo, runs, no_probe, as_json), only=name, engine=open_engine(on))

    app.command(name, help=text, epilog=_keys(name), rich_help_panel=PIPELINE)(command)


@app.command(epilog=_keys("sample"), rich_help_panel=PIPELINE)
def sample(
    recipe: RecipeFile,
    overrides: Set = None,
    limit: Limit = None,
    redo: Redo = None,
    runs: Runs = RUNS,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Sample one of N shards into a file of its own; `merge` joins them."),
    ] = None,
    on: On = None,
    shards: Shards = None,
    no_probe: NoProbe = False,
    as_json: Json = False,
) -> None:
    """Ask the teacher, store every answer before anything looks at it."""
    if shard is None:
        given = _Given(recipe, overrides, limit, redo, runs, no_probe, as_json)
        _run(given, only="sample", engine=open_engine(on, shards))
        return
    if on is not None or shards is not None:
        raise UserError("one shard is sampled on this machine", "--shard", "`--on ray` samples all and joins them")
    from cotdistill.pipeline.shards import read_shard, sample_shard

    part = read_shard(shard)
    pipeline = open_pipeline(recipe, overrides, runs, limit=limit, probe=not no_probe)
    with logging_to(pipeline.folder):
        files = sample_shard(pipeline, part)
    if as_json:
        echo_json({"shard": shard, "files": list(map(str, files))}, indent=None)
        return
    for file in files:
        echo(f"{recipe}: shard {shard} done, in {file}")


@app.command(rich_help_panel=PIPELINE)
def merge(
    recipe: RecipeFile, overrides: Set = None, limit: Limit = None, runs: Runs = RUNS, as_json: Json = False
) -> None:
    """Join the files of `sample --shard`: every completion there, and each once."""
    from cotdistill.pipeline import shards

    pipeline = open_pipeline(recipe, overrides, runs, limit=limit)
    with logging_to(pipeline.folder):
        merged = shards.merge(pipeline)
    if as_json:
        echo_json([m._asdict() for m in merged])
    for m in merged:
        missing = sum(m.missing.values())
        if not as_json:
            echo(
                f"{m.folder}: {m.shards} shards merged: {m.added:,} completions added, {m.doubles:,} were there, "
                f"{m.wanted - missing:,} of {m.wanted:,} wanted are stored, each once"
            )
        if missing:
            again = pipeline.options.command("sample", pipeline.recipe)
            where = ", ".join(f"shard {shard}: {count:,}" for shard, count in m.missing.items())
            raise UserError(
                f"{missing:,} of {m.wanted:,} completions are missing ({where})",
                str(pipeline.folder / m.folder),
                f"{again} asks for them; or their shards again, and merge",
            )


def train(
    recipe: RecipeFile,
    overrides: Set = None,
    limit: Limit = None,
    redo: Redo = None,
    runs: Runs = RUNS,
    node_timeout: NodeTimeout = NODE_TIMEOUT_S,
    on: On = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print every machine's command and a Slurm script; start nothing.")
    ] = False,
    no_probe: NoProbe = False,
    as_json: Json = False,
) -> None:
    """Train on this machine, as one of several where the environment says so."""
    if dry_run:
        print_commands(recipe, overrides, limit=limit, redo=redo, runs=runs, on=on, as_json=as_json)
        return
    given = _Given(recipe, overrides, limit, redo, runs, no_probe, as_json)
    _run(given, only="train", timeout_s=node_timeout, engine=open_engine(on))


for _name in ORDER:
    if _name == train.__name__:
        app.command(_name, help=read_help_line(_name), epilog=_keys(_name), rich_help_panel=PIPELINE)(train)
    elif _name in ("filter", "convert"):
        _block_command(_name, read_help_line(_name))
    elif _name != sample.__name__:
        _stage_command(_name, read_help_line(_name))


def _run(
    given: _Given,
    *,
    only: str | None,
    timeout_s: float = NODE_TIMEOUT_S,
    engine: "RayEngine | None" = None,
) -> None:
    from cotdistill.cli.bars import progress
    from cotdistill.pipeline.on_nodes import run_on_nodes
    from cotdistill.pipeline.options import RunOptions
    from cotdistill.pipeline.pipeline import Pipeline

    recipe, redo, as_json = given.recipe, given.redo, given.as_json
    if redo is not None and redo not in ORDER:
        raise UserError(f"no stage `{redo}`", "--redo", f"stages: {', '.join(ORDER)}")
    with logging_to(None):
        cluster = read_cluster(os.environ)
        loaded = read(recipe, given.overrides, given.limit)
        options = RunOptions(
            runs=given.runs, only=only, redo=redo, progress=progress, engine=engine, is_probing=not given.no_probe
        )
        pipeline = Pipeline(loaded, options)
    if only is None and cluster.rank == 0:
        say_what_comes(pipeline)
    with logging_to(pipeline.folder), stopped_by_term():
        outcome = run_on_nodes(pipeline, cluster, timeout_s=timeout_s)
    if cluster.rank == 0:
        print_end(pipeline, outcome, as_json=as_json)
    elif as_json:
        echo_json({"run": str(outcome.folder), "done": outcome.done, "skipped": outcome.skipped}, indent=None)
    else:
        echo(f"{recipe}: done, in {outcome.folder}")
