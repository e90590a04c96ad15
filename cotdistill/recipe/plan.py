"""From a recipe and its arms to steps: which stage runs where, and which arms share it.

A step whose options, roles and upstream are those of another arm is that arm's step: the teacher is paid once.
The recipe's own chain lives in `runs/<name>/`, what differs in `runs/<name>/arms/<arm>/`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cotdistill.recipe.recipe import BASELINE, LoadedRecipe, Recipe
from cotdistill.records import Conversation
from cotdistill.registry import KindOptions, Options
from cotdistill.stage import Stage, stages
from cotdistill.storage.keys import by_content, key_of

Json = Any  # Any: a JSON value

SECTION_ROLES = {"style": ("convert", "taught_style")}
"""Roles that a stage's section names, and the recipe's top does not: the section, and where it says so."""
FILLED_BY_PIPELINE = ("tasks",)
"""Roles that are no kind: the problems of the tasks that `evaluate` asks, which `filter` keeps apart."""


@dataclass(frozen=True)
class Step:
    """One stage of one arm, or of several arms that agree in all that it depends on."""

    stage: Stage
    recipe: Recipe
    folder: str
    """Relative to the run's folder."""
    upstream: "Step | None"
    """The step whose rows it reads; None: problems, a registered data set, or the untrained student."""
    signature: str
    """Hash of its options, its roles and its upstream's signature."""

    @property
    def options(self) -> Options:
        """The stage's section of the recipe."""
        return self.recipe.section(self.stage)

    @property
    def uses(self) -> tuple[str, ...]:
        """The roles that the stage uses with these options."""
        return used_roles(self.stage, self.recipe)

    @property
    def rows_file(self) -> str:
        """Name of the file of its rows."""
        name = self.stage.rows_file
        return name.format(format=self.options.format.kind) if "{format}" in name else name  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Plan:
    """The steps of a run, arm by arm."""

    arms: Mapping[str, tuple[Step, ...]]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step once, upstream first."""
        return tuple({step.folder: step for steps in self.arms.values() for step in steps}.values())

    def arms_json(self) -> Json:
        """Return what `arms.json` holds: where each arm's stages are."""
        return {
            "arms": [
                {"name": name, "stages": {step.stage.name: step.folder for step in steps}}
                for name, steps in self.arms.items()
            ]
        }


def make_plan(recipe: LoadedRecipe) -> Plan:
    """Return the steps of every arm, the baseline's last."""
    known: dict[str, Step] = {}
    _add_chain(recipe.main, "", known)
    if recipe.main.arms:
        used = {arm.name: _add_chain(arm.recipe, f"arms/{arm.name}/", known) for arm in recipe.arms}
    else:
        used = {recipe.main.name: _add_chain(recipe.main, "", known)}
    evaluate = stages()["evaluate"]
    if getattr(recipe.main, "evaluate", None) is not None and recipe.main.section(evaluate).baseline:  # type: ignore[attr-defined]
        step = Step(evaluate, recipe.main, f"arms/{BASELINE}/{evaluate.folder}", None, BASELINE)
        used[BASELINE] = (step,)
    return Plan(used)


def _add_chain(recipe: Recipe, prefix: str, known: dict[str, Step]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for stage in recipe.chain():
        upstream = steps[-1] if steps else None
        if stage.reads is Conversation and not recipe.learns_own_rows():
            upstream = None
        signature = key_of(
            [
                stage.name,
                recipe_part(stage, recipe),
                upstream.signature if upstream else _problems(recipe),
                recipe.seed,
            ]
        )
        own = Step(stage, recipe, prefix + stage.folder, upstream, signature)
        steps.append(known.setdefault(signature, own))
    return tuple(steps)


def recipe_part(stage: Stage, recipe: Recipe) -> Json:
    """Return the options and the roles that decide what a stage puts out, files by their content."""
    options = recipe.section(stage)
    roles = {
        role: by_content(chosen.key_options())
        for role in used_roles(stage, recipe)
        if (chosen := role_options(role, recipe)) is not None
    }
    if stage.name != "evaluate" and "tasks" in used_roles(stage, recipe) and task_names(recipe):
        roles["tasks"] = sorted(task_names(recipe))
    return {"options": by_content(options.key_options()), "roles": roles}


def used_roles(stage: Stage, recipe: Recipe) -> tuple[str, ...]:
    """Return the roles that a stage uses in a recipe, in the order of its declaration."""
    unused = recipe.section(stage).unused()
    if not recipe.asks_judge:
        unused |= {"judge"}
    return tuple(role for role in stage.uses if role not in unused)


def task_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the tasks that a recipe's evaluation asks; none where it has no such section."""
    return getattr(getattr(recipe, "evaluate", None), "tasks", ())


def role_options(role: str, recipe: Recipe) -> KindOptions | None:
    """Return the options of a role; None for what the pipeline itself fills in."""
    if role in FILLED_BY_PIPELINE:
        return None
    if role in SECTION_ROLES:
        name, attribute = SECTION_ROLES[role]
        return getattr(recipe.section(stages()[name]), attribute)  # type: ignore[no-any-return]
    return getattr(recipe, role)  # type: ignore[no-any-return]


def changed(old: Json, new: Json, stage: str) -> list[str]:
    """Return a line per value of a stage's key that differs: `filter.keep changed: correct -> all`."""
    return [f"{_recipe_key(path, stage)} changed: {_shown(a)} -> {_shown(b)}" for path, a, b in _differences(old, new)]


def _differences(old: Json, new: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json, Json]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), (*path, key))
    elif old != new:
        yield path, old, new


def _recipe_key(path: tuple[str, ...], stage: str) -> str:
    """Return what the user calls a part of a key: `options.keep` of `filter` is `filter.keep`."""
    head, *rest = path or ("all",)
    return ".".join({"options": [stage, *rest], "roles": rest}.get(head, [head, *rest]))


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _problems(recipe: Recipe) -> Json:
    return recipe.problems.model_dump(mode="json") if recipe.problems else None
