"""Recipes to begin with: those that come along, written into a folder with all that they name.

quickstart -> quickstart/recipe.yaml  quickstart/recipe.schema.json
endpoint   -> endpoint/recipe.yaml  endpoint/recipe.schema.json  endpoint/configs/prompts/patient_father.txt
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cotdistill.data import REGISTRY
from cotdistill.errors import UserError
from cotdistill.prompts import SHIPPED
from cotdistill.recipe.schema import EDITOR_LINE, FILE, recipe_schema
from cotdistill.storage.jsonl import write_text
from cotdistill.yamlfile import Data, load, nearest

EXAMPLES = SHIPPED / "examples"
RECIPE = "recipe.yaml"
SHORT = {
    "endpoint": "endpoints/deepseek",
    "openmind": "qwen2.5/train_distill_full_qwen2_5_7b_instruct",
}
"""Names beside those of the files."""
_NAMED = re.compile(r"(?:configs|examples)/\S+")
_OTHER = re.compile(r"examples/\S+?\.yaml")
_COMMAND = re.compile(r"^#\s{2,}((?:export |[A-Z_]+=\S+ )?\S.*?)(?:\s{2,}#.*)?$")


class Template(NamedTuple):
    """A recipe that comes along."""

    name: str
    path: Path

    @property
    def summary(self) -> str:
        """What it is for: its comment up to the first full stop or colon."""
        text = self.path.read_text(encoding="utf-8")
        comment = " ".join(line.removeprefix("#").strip() for line in _comment(text))
        return re.split(r"(?<!al)[.:]\s", comment, maxsplit=1)[0].rstrip(".:")


class Written(NamedTuple):
    """What was written, and what to do with it."""

    folder: Path
    files: tuple[Path, ...]
    commands: tuple[str, ...]
    """Relative to the folder."""


def templates() -> list[Template]:
    """Return the templates, the short names first, then those of the files, sorted."""
    files = {_name(path): path for path in sorted(EXAMPLES.rglob("*.yaml"))}
    short = [Template(name, files[long]) for name, long in SHORT.items()]
    first = [Template("quickstart", files.pop("quickstart")), *short]
    return [*first, *(Template(name, path) for name, path in files.items())]


def write_template(name: str, folder: Path | None) -> Written:
    """Write a template with all that it names; `folder` None: a new one, called after the template.

    Raises: UserError: there is no such template, or a file of it is there already; nothing is written then.
    """
    found = {template.name: template for template in templates()}
    if name not in found:
        raise UserError(f"no template `{name}`", hint=nearest(name, list(found)) or "`cotdistill-cli init` lists them")
    template = found[name]
    folder = Path(name.rpartition("/")[2]) if folder is None else folder
    texts = _texts(template)
    copied = {folder / named: SHIPPED / named for named in _parts(load(template.path).data)}
    if (registry := template.path.with_name(REGISTRY)).is_file():
        copied[folder / REGISTRY] = registry
    files = (*(folder / name for name in texts), folder / FILE, *copied)
    if there := [path for path in files if path.exists()]:
        raise UserError("is there already", str(there[0]), "name another folder: `cotdistill-cli init TEMPLATE FOLDER`")
    for target, source in copied.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / FILE, json.dumps(recipe_schema(), ensure_ascii=False) + "\n")
    for file, text in texts.items():
        write_text(folder / file, text)
    return Written(folder, files, tuple(_commands(texts[RECIPE])))


def _name(path: Path) -> str:
    inside = path.relative_to(EXAMPLES).with_suffix("")
    return str(inside.parent if path.name == RECIPE else inside)


def _texts(template: Template) -> dict[str, str]:
    """Return the recipe as it stands in a folder of its own, and other recipes that its commands name, by file."""
    first = template.path.read_text(encoding="utf-8")
    others = {SHIPPED / named for named in _OTHER.findall(first)} - {template.path}
    names = {template.path: RECIPE, **{path: path.name for path in sorted(others) if path.is_file()}}
    texts = {}
    for path, name in names.items():
        text = path.read_text(encoding="utf-8")
        for other, new in names.items():
            text = text.replace(str(other.relative_to(SHIPPED)), new)
        texts[name] = f"{EDITOR_LINE}\n{text}"
    return texts


def _parts(data: Data) -> Iterator[str]:
    """Yield the files among those that come along that a recipe names, each once, in order."""
    found: dict[str, None] = {}
    waiting = [data]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and _NAMED.fullmatch(value) and (SHIPPED / value).is_file():
            found[value] = None
    yield from found


def _comment(text: str) -> Sequence[str]:
    """Return the lines of the comment that a recipe begins with, up to its first empty one."""
    lines = [line for line in text.splitlines() if line != EDITOR_LINE]
    end = next((place for place, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    return lines[:end]


def _commands(text: str) -> Iterator[str]:
    """Yield the commands that the comment names, else the usual two."""
    whole = [line for line in text.splitlines() if line.startswith("#")]
    named = [found[1] for line in whole if (found := _COMMAND.match(line))]
    if any("cotdistill-cli " in command for command in named):
        yield from named
    else:
        yield from (f"cotdistill-cli check {RECIPE}", f"cotdistill-cli run {RECIPE}")
