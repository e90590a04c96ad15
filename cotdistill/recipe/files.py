"""Files that a recipe names: beside the recipe, then in the working directory, then among those that come along.

prompt: configs/prompts/plain.txt     ->  mine/configs/prompts/plain.txt, configs/prompts/plain.txt, the package's own
deepspeed: ds.json                    ->  mine/ds.json, ds.json
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from cotdistill.prompts import SHIPPED
from cotdistill.registry import NamesFile, Options, file_mark, is_in_key, names_file

O = TypeVar("O", bound=Options)  # noqa: E741
Value = object
Loc = tuple[str | int, ...]

SHARED = ("configs", "examples/deepspeed")
"""Folders in there whose files recipes may name wherever they stand."""


def places(name: Path, folder: Path) -> list[Path]:
    """Return where a file that a recipe in `folder` names is looked for, in order."""
    if name.is_absolute():
        return [name]
    found = [name] if folder.resolve() == Path.cwd() else [folder / name, name]
    if any(name.is_relative_to(shared) for shared in SHARED):
        found.append(SHIPPED / name)
    return found


def with_files(options: O, folder: Path) -> O:
    """Return the options with the path of every file that they name; one that is nowhere stays as it is written.

    `folder` is that of the recipe.
    """
    update = {}
    for key, value, mark in _read_options(options):
        found = _found(value, mark, folder)
        if found is not value:
            update[key] = found
    return options.model_copy(update=update) if update else options


def missing_files(options: Options) -> Iterator[tuple[Loc, Path]]:
    """Yield the key of every option that names a file that is not there, and the file."""
    for key, value, mark in _read_options(options):
        for loc, path in _missing(value, mark):
            yield (key, *loc), path


def _read_options(options: Options) -> Iterator[tuple[str, Value, NamesFile | None]]:
    """Yield the options that may name a file to read: a file that is no part of a key is written."""
    for key, field in type(options).model_fields.items():
        if is_in_key(field):
            yield key, getattr(options, key), file_mark(field)


def _found(value: Value, mark: NamesFile | None, folder: Path) -> Value:
    if isinstance(value, Options):
        return with_files(value, folder)
    if isinstance(value, tuple) and type(value) is tuple:
        items = tuple(_found(item, mark, folder) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if names_file(value, mark):
        path = next((place for place in places(Path(value), folder) if is_there(place)), None)
        return value if path is None or path == Path(value) else type(value)(path)
    return value


def _missing(value: Value, mark: NamesFile | None) -> Iterator[tuple[Loc, Path]]:
    if isinstance(value, Options):
        yield from missing_files(value)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            for loc, path in _missing(item, mark):
                yield (number, *loc), path
    elif names_file(value, mark) and not is_there(Path(value)):
        yield (), Path(value)


def is_there(path: Path) -> bool:
    """Return whether there is a file or a folder; what is too long for a name is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
