"""The recipe: its roles (problems, teacher, judge, verifier, student), one section per stage, and its arms.

The stages that run go from the recipe's source (the teacher, or `train.dataset`) to the last section that it holds;
a stage between them that has no section takes its defaults.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, create_model

from cotdistill.data import DataOptions
from cotdistill.data.problem_set import ProblemOptions
from cotdistill.errors import UserError, raise_all
from cotdistill.recipe.openmind import is_flat, unflatten
from cotdistill.recipe.secrets import refuse_secrets
from cotdistill.registry import KindOptions, OneOf, Options
from cotdistill.stage import Stage, stages
from cotdistill.yamlfile import Data, Loc, Source, faults, load, validate

BASELINE = "baseline"
"""Name of the arm that is the untrained student."""

NAME_PATTERN = r"^\w[\w.-]*$"


class Recipe(Options):
    """Roles: named once, used by every stage."""

    name: str = Field(pattern=NAME_PATTERN)
    """Name of the run: its folder is `runs/<name>`."""
    seed: int = 1234
    """Seed of everything drawn at random: holdout, shuffling, initial weights."""
    problems: ProblemOptions | None = None
    """Questions with gold answers; default: those of a replayed teacher's file. A set of traces needs no `teacher:`:
    its answers go to `filter` as they are."""
    data: DataOptions = DataOptions()
    """Where named data sets are looked for, and how they are read."""
    teacher: Annotated[KindOptions, OneOf("samplers")] | None = None
    """The model whose answers are learned from."""
    judge: Annotated[KindOptions, OneOf("samplers")] | None = None
    """A model that `verifier: {kind: judge}` asks about answers that rules cannot decide."""
    verifier: Annotated[KindOptions, OneOf("verifiers")] = Field(
        default="numeric",  # validated like a value from the file
        validate_default=True,
    )
    """Who says which answers are right, in `filter` and in `evaluate` alike."""
    student: Annotated[KindOptions, OneOf("students")] | None = None
    """The model that learns."""
    arms: dict[str, dict[str, Any]] = {}
    """Variants to compare: name -> the keys of this recipe that differ."""

    @property
    def asks_judge(self) -> bool:
        """Whether its verifier asks the model that is named in `judge:`."""
        return self.verifier.kind == "judge"

    def section(self, stage: Stage) -> Options:
        """Return the options of a stage, its defaults where the recipe has no such section."""
        given = getattr(self, stage.name)
        return given if given is not None else stage.options()

    def learns_own_rows(self) -> bool:
        """Return whether the student learns from what `convert` writes, alone or beside registered sets."""
        named = self.section(stages()["train"]).dataset_names  # type: ignore[attr-defined]
        return not named or self.section(stages()["convert"]).dataset in named  # type: ignore[attr-defined]

    def chain(self) -> tuple[Stage, ...]:
        """Return the stages that this recipe runs, in order."""
        known = list(stages().values())
        given = [s for s in known if getattr(self, s.name) is not None]
        if not given:
            return ()
        first = given[0]
        trains_on_own = self.learns_own_rows()
        if self.teacher is not None and trains_on_own:
            first = known[0]
        elif self.problems is not None and trains_on_own and first.name in ("convert", "train"):
            # Recorded answers need no sampling, and are judged like a teacher's.
            first = stages()["filter"]
        return tuple(s for s in known if first.number <= s.number <= given[-1].number)


@cache
def recipe_model() -> type[Recipe]:
    """Return the model of a whole recipe: the roles and one optional section per stage."""
    sections: dict[str, Any] = {  # Any: pydantic's field definitions
        s.name: (s.options | None, Field(None, description=s.summary)) for s in stages().values()
    }
    return create_model("LoadedRecipe", __base__=Recipe, __doc__="One YAML file, one run.", **sections)


@dataclass(frozen=True)
class Arm:
    """One variant of the recipe."""

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe as read: the common part, its arms, and where everything stands."""

    main: Recipe
    arms: tuple[Arm, ...]
    """At least one; a recipe without `arms:` is its own single arm."""
    source: Source
    is_openmind: bool

    @property
    def folder(self) -> Path:
        """Folder of the recipe's file: its data sets and parts may stand beside it."""
        return self.source.path.parent


def read_recipe(path: Path, *, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Return the recipe in a file, `--set key.path=value` applied.

    Raises: UserError, UserErrors: every fault at once, each with `file:line: key`.
    """
    source = load(path)
    is_openmind = is_flat(source.data)
    # A flat recipe takes its own keys (`max_steps=4`) and ours (`train.max_steps=4`).
    ours = [o for o in overrides if is_openmind and o.startswith(("train.", "student."))]
    _override(source, [o for o in overrides if o not in ours])
    if is_openmind:
        source = unflatten(source)
    _override(source, ours)
    refuse_secrets(source)
    source.data.setdefault("name", _default_name(path))
    main = validate(source, recipe_model())
    return LoadedRecipe(main, _arms(main, source), source, is_openmind)


def _override(source: Source, overrides: Sequence[str]) -> None:
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UserError("write it as key.path=value", f"--set {override}")
        source.set(key, value)


def _default_name(path: Path) -> str:
    """Return a name for a run after its recipe's file, or after its folder where the file is just `recipe.yaml`."""
    name = path.resolve().parent.name if path.stem == "recipe" else path.stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"


def _arms(main: Recipe, source: Source) -> tuple[Arm, ...]:
    if not main.arms:
        return (Arm(main.name, main),)
    arms, found = [], []
    for name, changes in main.arms.items():
        if name == BASELINE:
            found.append(
                UserError(
                    "the baseline is made by itself",
                    source.where(("arms", name)),
                    "use `evaluate: {baseline: true}`",
                )
            )
            continue
        merged = _merge({key: value for key, value in source.data.items() if key != "arms"}, changes)
        variant = Source(source.path, merged, _places(source, name), dict(source.names))
        try:
            arms.append(Arm(name, recipe_model().model_validate(merged)))
        except ValidationError as error:
            found.extend(faults(error, variant, recipe_model()))
    raise_all(found)
    return tuple(arms)


def _places(source: Source, arm: str) -> dict[Loc, str]:
    """Return where each value of an arm stands: in the arm where it is overridden, else in the recipe."""
    inside = {loc[2:]: place for loc, place in source.places.items() if loc[:2] == ("arms", arm) and len(loc) > 2}
    return {**source.places, **inside}


def _merge(base: Data, changes: Data) -> Data:
    """Return `base` with the keys of `changes` replaced; another `kind` replaces the whole mapping."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    if "kind" in changes and changes["kind"] != base.get("kind"):
        return copy.deepcopy(changes)
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = _merge(base.get(key), value)
    return merged
