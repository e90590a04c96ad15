"""The recipe: its roles (problems, teacher, judge, verifier, student), one section per stage, and its arms.

The stages that run go from the recipe's source (the teacher, recorded answers, or `train.dataset`) to the last section
that it holds; a stage between them that has no section takes its defaults, an optional one is left out.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from cotdistill.data import DataOptions
from cotdistill.data.problem_set import ProblemOptions
from cotdistill.errors import UserError, raise_all
from cotdistill.recipe.openmind import is_flat, unflatten
from cotdistill.recipe.secrets import refuse_secrets
from cotdistill.records import Conversation, Problem, Record, Trace
from cotdistill.registry import KindOptions, OneOf, Options
from cotdistill.stage import Stage, StageOptions
from cotdistill.stages import ORDER, Sections, stages
from cotdistill.stages.convert import ConvertOptions
from cotdistill.training.options import TrainOptions
from cotdistill.yamlfile import Data, Loc, Source, faults, load, validate

BASELINE = "baseline"
"""Name of the arm that is the untrained student."""


TASKS = "tasks"
"""The role that is no kind: the problems of the tasks that `evaluate` asks, which `filter` keeps apart."""
LEARNED = "learned"
"""The role that is no kind either: the rows that the student learned from, which `evaluate` compares with the tasks."""


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            "a name holds letters, digits, `_`, `.` and `-` alone, no dot or dash first: it names a folder"
        )
    return name


Name = Annotated[str, AfterValidator(_folder_name)]


class Roles(Options):
    """Roles: named once, used by every stage."""

    name: Name
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
    arms: dict[Name, dict[str, Any]] = {}
    """Variants to compare: name -> the keys of this recipe that differ."""


class Recipe(Sections, Roles):
    """One YAML file, one run: the roles, and one section per stage."""

    def section(self, stage: Stage) -> StageOptions:
        """Return the options of a stage, its defaults where the recipe has no such section."""
        return self._given(stage) or stage.options()

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages that a recipe of this kind has, in order: all but the optional ones without a section."""
        return tuple(s for s in stages().values() if not s.is_optional or self._given(s) is not None)

    def folder(self, stage: Stage) -> str:
        """Return the name of a stage's folder, its place among the recipe's stages before it: `2-filter`."""
        return f"{self.stages().index(stage) + 1}-{stage.name}"

    def learns_own_rows(self) -> bool:
        """Return whether the student learns from what `convert` writes, alone or beside registered sets."""
        own = (self.convert or ConvertOptions()).dataset
        phases = (self.train or TrainOptions()).in_phases()
        return any(not phase.dataset_names or own in phase.dataset_names for phase in phases)

    def chain(self) -> tuple[Stage, ...]:
        """Return the stages that this recipe runs, in order."""
        known = self.stages()
        given = [place for place, stage in enumerate(known) if self._given(stage) is not None]
        if not given:
            return ()
        return known[self._first(known, given[0]) : given[-1] + 1]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that its evaluation asks; none where it has no such section."""
        return self.evaluate.tasks if self.evaluate is not None else ()

    def uses(self, stage: Stage) -> tuple[str, ...]:
        """Return the roles that a stage uses in this recipe, in the order of its declaration."""
        unused = self.section(stage).unused()
        if self.verifier.kind != "judge":
            unused |= {"judge"}
        return tuple(role for role in stage.uses if role not in unused)

    def role(self, name: str) -> KindOptions | None:
        """Return the options of a role; None where the recipe leaves it out, or where it is no kind, as `tasks` is."""
        if name in (TASKS, LEARNED):
            return None
        if name == "style":
            return (self.convert or ConvertOptions()).taught_style
        return getattr(self, name)  # type: ignore[no-any-return]

    def _first(self, known: Sequence[Stage], given: int) -> int:
        """Return the place of the stage that reads the recipe's source; `given` is that of its first section."""
        if not self.learns_own_rows():
            return given
        if self.teacher is not None:
            return _reader(known, Problem)
        if self.problems is not None and known[given].reads in (Trace, Conversation):
            # Recorded answers need no sampling, and are judged like a teacher's.
            return _reader(known, Trace)
        return given

    def _given(self, stage: Stage) -> StageOptions | None:
        return getattr(self, stage.name)  # type: ignore[no-any-return]


for _stage in stages().values():
    Recipe.model_fields[_stage.name].description = _stage.summary
# `Sections` names the types of its fields without importing them.
Recipe.model_rebuild(force=True, _types_namespace={s.options.__name__: s.options for s in stages().values()})


def _reader(known: Sequence[Stage], record: type[Record]) -> int:
    """Return the place of the first stage that reads such rows."""
    return next(place for place, stage in enumerate(known) if stage.reads is record)


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
    for name in ORDER:
        if name in source.data and source.data[name] is None:
            # A section that is written runs, with nothing in it by its defaults.
            source.data[name] = {}
    main = validate(source, Recipe)
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
            recipe = Recipe.model_validate(merged)
        except ValidationError as error:
            found.extend(faults(error, variant, Recipe))
        else:
            arms.append(Arm(name, recipe))
            found.extend(_left_out(Arm(name, recipe), changes, source))
    raise_all(found)
    return tuple(arms)


def _left_out(arm: Arm, changes: dict[str, Any], source: Source) -> Iterator[UserError]:
    """Yield a fault for each section that an arm takes away although a later stage reads its rows."""
    if not arm.recipe.chain():
        yield UserError("no stage is left to run", source.where(("arms", arm.name)), "leave one of its sections")
    for stage in arm.recipe.chain():
        if stage.name in changes and changes[stage.name] is None:
            last = arm.recipe.chain()[-1].name
            yield UserError(
                f"an arm cannot leave out `{stage.name}`, whose rows the stages up to `{last}` need",
                source.where(("arms", arm.name, stage.name)),
                f"write `{{}}` to change nothing in it, or take `{last}` away too",
            )


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
