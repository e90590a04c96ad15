"""The data files of a folder, told apart by split: a folder of files, a copy of a hub's repository, `save_to_disk`.

data/train-00000-of-00003.parquet      train/data-00000-of-00001.arrow + state.json      math/test.jsonl.gz
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cotdistill.data.readers import SUFFIXES, data_suffix, is_data_file
from cotdistill.errors import UserError

log = logging.getLogger(__name__)

ABOUT_DATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "manifest.json"}
"""Files that describe a set and hold none of its rows."""
STATE = "state.json"
"""Beside the files of one split that `save_to_disk` wrote."""
DEFAULT = "train"
ALL = "all"
"""Instead of a split: every one of them."""

_SHARD = re.compile(r"(?P<split>.+)-\d{5}-of-\d{5}")
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
}
_WORD = re.compile(rf"(?:^|[-._ 0-9])({'|'.join(_SPLITS)})(?=$|[-._ 0-9])", re.IGNORECASE)


class _Found(NamedTuple):
    path: Path
    split: str | None
    """Name of the split that the file is of; None where its name tells none."""


def data_files(folder: Path, where: str, *, split: str | None, subset: str | None) -> tuple[Path, ...]:
    """Return the files of one split of a folder, in the order of their names.

    Without a split that of `train`, or of the one that there is; `all` is every one.
    Raises: UserError: there are none, it cannot be told which are meant, or they are of several kinds.
    """
    files = _of_card(folder, where, subset) or _of_subset(folder, subset, list(_of_names(folder)))
    if not files:
        raise UserError(f"no data file in {folder}", where, f"known: {', '.join(SUFFIXES)}")
    splits = list(dict.fromkeys(file.split for file in files if file.split))
    if not splits and split not in (None, ALL, DEFAULT):
        raise UserError(f"{folder} has no split `{split}`", where, "its files name no splits; remove `split`")
    if splits:
        files = _of_split(files, split or (splits[0] if len(splits) == 1 else DEFAULT), folder)
    if not files:
        hint = f"splits: {', '.join(splits)}; set `split`"
        raise UserError(f"{folder} has no split `{split or DEFAULT}`", where, hint)
    kinds = sorted({data_suffix(file.path) for file in files})
    if len(kinds) > 1 and not (splits and split == ALL):
        raise UserError(f"{folder} holds files of several kinds: {', '.join(kinds)}", where, _choose(kinds[0]))
    return tuple(file.path for file in files)


def _of_split(files: list[_Found], split: str, folder: Path) -> list[_Found]:
    """Return the files of one split, or of each; those whose names tell none are told and left out."""
    if split == ALL:
        return [file for file in files if file.split is not None]
    if left := [file.path.name for file in files if file.split is None]:
        log.warning("%s: not read, since no split names them: %s", folder, ", ".join(left))
    return [file for file in files if file.split == split]


def _of_subset(folder: Path, subset: str | None, files: list[_Found]) -> list[_Found]:
    """Return the files in folders that are called as the subset, where there are such folders."""
    inside = [file for file in files if subset in file.path.relative_to(folder).parent.parts]
    return inside or files


def _choose(kind: str) -> str:
    return f'name those that are meant: `"file_name": "**/*{kind}"`'


def _of_names(folder: Path) -> Iterator[_Found]:
    """Yield the data files of a folder and of those in it, but hidden ones."""
    saved = {state.parent: _saved_files(state) for state in sorted(folder.rglob(STATE))}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if any(part.startswith((".", "__")) for part in inner.parts) or path.name in ABOUT_DATA:
            continue
        # `map` keeps its results beside what was saved.
        if path.parent in saved and path.name not in saved[path.parent]:
            continue
        if is_data_file(path) and path.is_file():
            yield _Found(path, _split_of(inner))


def _saved_files(state: Path) -> set[str]:
    try:
        found = json.loads(state.read_text(encoding="utf-8"))
        return {str(file["filename"]) for file in found["_data_files"]}
    except (ValueError, KeyError, TypeError):
        return set()


def _split_of(inner: Path) -> str | None:
    """Return the split that a path tells, by its own name or that of a folder, the innermost first."""
    stem = inner.name.partition(".")[0]
    shard = _SHARD.fullmatch(stem)
    names = [shard["split"] if shard else stem, *reversed(inner.parent.parts)]
    for name in names:
        if found := _WORD.search(name):
            return _SPLITS[found[1].lower()]
    # `datasets` calls the shards of a split by its name; `data` is what it calls them where a folder is the split.
    return shard["split"] if shard and shard["split"] != "data" else None


def _of_card(folder: Path, where: str, subset: str | None) -> list[_Found]:
    """Return the files as the card of a hub's repository lists them; none where there is none, or it lists none.

    Raises: UserError where it has several subsets and none is named.
    """
    configs = _configs(folder / "README.md")
    if not configs:
        return []
    names = [str(config.get("config_name", "default")) for config in configs]
    wanted = subset or next((name for name, c in zip(names, configs, strict=True) if c.get("default")), None)
    wanted = wanted or ("default" if "default" in names else names[0] if len(names) == 1 else None)
    if wanted not in names:
        what = f"has no subset `{wanted}`" if wanted else "has several subsets"
        raise UserError(f"{folder} {what}", where, f"subsets: {', '.join(names)}; set `subset`")
    config = configs[names.index(wanted)]
    listed = config.get("data_files") or []
    base = folder / str(config.get("data_dir") or "")
    found = [file for split, pattern in _patterns(listed) for file in _matching(base, pattern, split)]
    return found if listed else list(_of_names(base)) if config.get("data_dir") else []


def _configs(card: Path) -> list[dict[str, Any]]:  # Any: YAML of a hub's card
    if not card.is_file():
        return []
    _, fence, rest = card.read_text(encoding="utf-8", errors="replace").partition("---\n")
    try:
        head = yaml.safe_load(rest.partition("\n---")[0]) if fence else None
    except yaml.YAMLError:
        return []
    configs = head.get("configs") if isinstance(head, dict) else None
    return [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []


def _patterns(listed: Any) -> Iterator[tuple[str | None, str]]:  # Any: YAML of a hub's card
    """Yield split and pattern of what a card lists: a pattern, several, `{split: pattern}`, `[{split, path}]`."""
    if isinstance(listed, str):
        yield None, listed
    elif isinstance(listed, dict):
        for split, paths in listed.items():
            yield from ((str(split), path) for path in ([paths] if isinstance(paths, str) else paths))
    else:
        for one in listed:
            paths = one.get("path", []) if isinstance(one, dict) else one
            split = str(one["split"]) if isinstance(one, dict) and "split" in one else None
            yield from ((split, path) for path in ([paths] if isinstance(paths, str) else paths))


def _matching(base: Path, pattern: str, split: str | None) -> Iterator[_Found]:
    files: Sequence[Path] = sorted(path for path in base.rglob("*") if path.is_file() and is_data_file(path))
    for path in files:
        inner = path.relative_to(base).as_posix()
        if fnmatchcase(inner, pattern.removeprefix("./")) or fnmatchcase(inner, pattern.replace("**/", "")):
            yield _Found(path, split or _split_of(path.relative_to(base)))
