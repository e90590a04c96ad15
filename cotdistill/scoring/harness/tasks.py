"""Names of lm-eval's tasks, tags and groups -> explicit lists of tasks, and how these are averaged.

A tag holds whatever any of lm-eval's files puts under it: `mgsm_cot_native` also the 11 tasks that are answered in
English, `mgsm_direct` Spanish twice. What a name stands for here is said by FOLDERS; every other one is lm-eval's own.
"""

import functools
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cotdistill.errors import UserError
from cotdistill.yamlfile import nearest

if TYPE_CHECKING:
    from lm_eval.tasks import TaskManager

Config = Mapping[str, Any]  # Any: values of lm-eval's YAML, functions among them

FOLDERS: Mapping[str, tuple[str, bool]] = {
    "mgsm_cot_native": ("mgsm/native_cot/mgsm_native_cot_*.yaml", False),
    "mgsm_direct": ("mgsm/direct/mgsm_direct_*.yaml", False),
    "mmlu": ("mmlu/default/mmlu_*.yaml", True),
}
"""Name -> its tasks' files in lm-eval's folder of tasks, and whether their mean is weighted by size."""


class Subtask(NamedTuple):
    """One task of lm-eval."""

    name: str
    group: str
    """What it is called among its like: a language, a subject; empty where it stands alone."""
    config: Config
    """As in its YAML file, which it includes others of."""


class HarnessTask(NamedTuple):
    """What one name of `evaluate.tasks` stands for."""

    name: str
    subtasks: tuple[Subtask, ...]
    is_weighted: bool
    """Whether the mean over its tasks is weighted by their numbers of questions."""

    @property
    def rule(self) -> str:
        """How its number is made of those of its tasks, in words."""
        count = len(self.subtasks)
        if count == 1:
            return "one task"
        return (
            f"mean weighted by size over {count} tasks" if self.is_weighted else f"unweighted mean over {count} tasks"
        )


def find_task(name: str) -> HarnessTask:
    """Return the tasks that a name stands for, sorted by name; a file in lm-eval's layout is a task too.

    Raises: UserError: lm-eval has no task, tag or group of that name; it says the nearest ones.
    """
    if name in FOLDERS:
        pattern, is_weighted = FOLDERS[name]
        configs = [_read(path) for path in sorted(_folder().glob(pattern))]
        return _of_configs(name, [config for config in configs if "task" in config], is_weighted=is_weighted)
    if name.endswith(".yaml") and Path(name).is_file():
        config = _read(Path(name))
        if "task" not in config:
            raise UserError("names no `task`", name, "only files of single tasks are read")
        return _of_configs(config["task"], [config], is_weighted=False)
    for path in _files().get(name, ()):
        if (config := _read(path)).get("task") == name:
            return _of_configs(name, [config], is_weighted=False)
    return _from_index(name)


def _of_configs(name: str, configs: list[Config], *, is_weighted: bool) -> HarnessTask:
    if len(configs) == 1:
        return HarnessTask(name, (Subtask(configs[0]["task"], "", configs[0]),), is_weighted)
    subtasks = (Subtask(config["task"], _group(config), config) for config in configs)
    return HarnessTask(name, tuple(sorted(subtasks)), is_weighted)


def _group(config: Config) -> str:
    """Return a task's subset, where it has one: `de`, `anatomy`; else its name."""
    return str(config.get("dataset_name") or config["task"])


def _folder() -> Path:
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None and spec.submodule_search_locations, "the check finds out whether lm_eval is there"
    return Path(spec.submodule_search_locations[0]) / "tasks"


@functools.cache
def _files() -> Mapping[str, tuple[Path, ...]]:
    """Return the files of tasks by name; most tasks stand in the file of their name, and reading all takes 10 s."""
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(_folder().rglob("*.yaml")):
        found[path.stem] = (*found.get(path.stem, ()), path)
    return found


def _read(path: Path) -> Config:
    from lm_eval.tasks._yaml_loader import load_yaml

    config: Config = load_yaml(path, resolve_func=True)
    return config


@functools.cache
def _index() -> "TaskManager":
    from lm_eval.tasks import TaskManager

    return TaskManager()


def _from_index(name: str) -> HarnessTask:
    known = _index().task_index
    if name not in known:
        hint = nearest(name, [*FOLDERS, *known]) or "`lm_eval ls tasks` lists all"
        raise UserError(f"lm-eval has no task `{name}`", hint=hint)
    # lm-eval's default where a group says nothing.
    rules = (known[name].cfg or {}).get("aggregate_metric_list") or ()
    is_weighted = bool(rules) and all(rule.get("weight_by_size", True) for rule in rules)
    return _of_configs(name, list(_members(name, {})), is_weighted=is_weighted)


def _members(name: str, changes: Config) -> Iterator[Config]:
    """Yield the tasks of a task, tag or group, a group's changes to them applied. Raises: UserError."""
    entry = _index().task_index.get(name)
    if entry is None:
        raise UserError(f"lm-eval has no task `{name}`, which another one names")
    kind = entry.kind.name
    if kind == "TAG":
        for member in sorted(entry.tags):
            yield from _members(member, changes)
    elif kind == "GROUP":
        for item in (entry.cfg or {}).get("task", ()):
            given = {"task": item} if isinstance(item, str) else dict(item)
            member = given.pop("task", None) or given.pop("group", None)
            if not isinstance(member, str) or member not in _index().task_index:
                raise UserError(f"the group `{name}` of lm-eval defines tasks inside itself", hint="name its tasks")
            yield from _members(member, {**changes, **given})
    elif kind == "PY_TASK":
        raise UserError(f"`{name}` of lm-eval is a program of its own", hint=f"ask it with `lm_eval --tasks {name}`")
    else:
        yield {**_read(entry.yaml_path), **changes}
