"""From a recipe and its arms to steps: which stage runs where, and which arms share it.

A step whose options, roles and upstream are those of another arm is that arm's step: the teacher is paid once.
The recipe's own chain lives in `runs/<name>/`, what differs in `runs/<name>/arms/<arm>/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from cotdistill.recipe.recipe import BASELINE, LoadedRecipe, Recipe
from cotdistill.records import Conversation
from cotdistill.stage import Stage, StageOptions
from cotdistill.stages import stages
from cotdistill.storage.keys import key_of

Json = Any  # Any: a JSON value

RecipePart: TypeAlias = Callable[[Stage, Recipe], Json]
"""Returns what of a recipe decides the rows of a stage (`pipeline/step_keys.py` says)."""


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
    def options(self) -> StageOptions:
        """The stage's section of the recipe."""
        return self.recipe.section(self.stage)

    @property
    def uses(self) -> tuple[str, ...]:
        """The roles that the stage uses with these options."""
        return self.recipe.uses(self.stage)

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


def make_plan(recipe: LoadedRecipe, part: RecipePart) -> Plan:
    """Return the steps of every arm, the baseline's last."""
    known: dict[str, Step] = {}
    main = _add_chain(recipe.main, "", known, part)
    if recipe.main.arms:
        used = {arm.name: _add_chain(arm.recipe, f"arms/{arm.name}/", known, part) for arm in recipe.arms}
    else:
        used = {recipe.main.name: main}
    if recipe.main.evaluate is not None and recipe.main.evaluate.baseline:
        evaluate = stages()["evaluate"]
        folder = f"arms/{BASELINE}/{recipe.main.folder(evaluate)}"
        used[BASELINE] = (Step(evaluate, recipe.main, folder, None, BASELINE),)
    return Plan(used)


def _add_chain(recipe: Recipe, prefix: str, known: dict[str, Step], part: RecipePart) -> tuple[Step, ...]:
    steps: list[Step] = []
    for stage in recipe.chain():
        upstream = steps[-1] if steps else None
        if stage.reads is Conversation and not recipe.learns_own_rows():
            upstream = None
        before = upstream.signature if upstream else _problems(recipe)
        signature = key_of([stage.name, part(stage, recipe), before, recipe.seed])
        own = Step(stage, recipe, prefix + recipe.folder(stage), upstream, signature)
        steps.append(known.setdefault(signature, own))
    return tuple(steps)


def _problems(recipe: Recipe) -> Json:
    return recipe.problems.model_dump(mode="json") if recipe.problems else None
