"""What a run, its arms and its seeds may be called, and which files can be a recipe."""

import difflib
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from cotdistill.data.readers import is_data_file
from cotdistill.errors import UserError


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            "a name holds letters, digits, `_`, `.` and `-` alone, no dot or dash first: it names a folder"
        )
    return name


Name = Annotated[str, AfterValidator(_folder_name)]


def _differ(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if any(seed < 0 for seed in seeds):
        raise ValueError("a seed is 0 or more")
    if len(set(seeds)) < len(seeds):
        raise ValueError("has a duplicate seed: the same training would count as another one")
    return seeds


Seeds = Annotated[tuple[int, ...], AfterValidator(_differ)]


def refuse_other_files(path: Path) -> None:
    """Raise UserError where a path is a folder or a data file, which is no recipe, or another name of one beside it."""
    if path.is_dir():
        inside = sorted(file.name for file in path.glob("*.y*ml"))
        hint = f"name the YAML file in it, as {path / inside[0]}" if inside else "name a YAML file"
        raise UserError("is a folder, not a recipe", str(path), hint)
    if path.is_file() and path.suffix != ".json" and is_data_file(path):
        hint = f"a recipe names it: `problems: {{dataset: {path}}}`; to look into it: cotdistill-cli data check {path}"
        raise UserError("is a data file, not a recipe", str(path), hint)
    if not path.exists():
        beside = {file.stem: file.name for file in sorted(path.parent.glob("*.y*ml"))}
        if near := difflib.get_close_matches(path.stem, beside, n=1):
            raise UserError("no such file", str(path), f"did you mean `{path.with_name(beside[near[0]])}`?")
