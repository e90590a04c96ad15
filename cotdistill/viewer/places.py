"""Which runs are meant: folders, recipes in place of their runs, or all runs in a folder."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cotdistill.errors import UserError
from cotdistill.storage.run_folder import ARMS, default_name
from cotdistill.viewer.folders import Run
from cotdistill.yamlfile import load, nearest

log = logging.getLogger(__name__)


def find_runs(named: Sequence[Path], runs: Path) -> dict[str, Run]:
    """Return the runs that are named, or all in `runs` where none is, each by a name of its own.

    Raises: UserError: there is none, or one of them is no run.
    """
    found: dict[str, Run] = {}
    for run in (find_run(path, runs) for path in named) if named else _all_in(runs):
        if any(run.path.resolve() == other.path.resolve() for other in found.values()):
            continue
        name, number = run.name, 2
        while name in found:
            name, number = f"{run.name}-{number}", number + 1
        found[name] = run
    return found


def _all_in(runs: Path) -> list[Run]:
    """Return a folder's runs; one that is damaged does not hide the others. Raises: UserError: none can be read."""
    found, faults = [], []
    for path in sorted(runs.glob(f"*/{ARMS}")):
        try:
            found.append(Run(path.parent))
        except UserError as unreadable:
            faults.append(unreadable)
    if not found and not faults:
        what = "has no run in it" if runs.is_dir() else "is missing"
        raise UserError(what, str(runs), "name a run's folder, or start one: `cotdistill-cli run RECIPE`")
    if not found:
        raise faults[0]
    for fault in faults:
        log.warning("%s; its run is left out", fault)
    return found


def find_run(path: Path, runs: Path) -> Run:
    """Return the run in a folder, of that name in `runs`, or of a recipe. Raises: UserError: there is none."""
    if path.is_dir():
        return Run(path)
    if path.is_file():
        return Run(_of_recipe(path, runs))
    if path.parent == Path() and (runs / path.name / ARMS).is_file():
        return Run(runs / path.name)
    known = [entry.parent.name for entry in sorted(runs.glob(f"*/{ARMS}"))]
    hint = nearest(path.name, known) or (
        f"there are {', '.join(known[:8])}" if known else "a run is made by `run RECIPE`"
    )
    raise UserError("is missing", str(path), hint)


def _of_recipe(path: Path, runs: Path) -> Path:
    """Return the folder of the run that a recipe makes."""
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise UserError("is no run's folder", str(path), "name a folder like runs/quickstart")
    folder = runs / str(load(path).data.get("name") or default_name(path))
    if not (folder / ARMS).is_file():
        raise UserError(f"its run, {folder}, is missing", str(path), f"first: cotdistill-cli run {path}")
    return folder
