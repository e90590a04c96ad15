"""The recipe: its roles (problems, teacher, judge, verifier, student), one section per stage, and its arms.

The stages that run go from the recipe's source (the teacher, recorded answers, or `train.dataset`) to the last section
that it holds; a stage between them that has no section takes its defaults, an optional one is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError, model_validator

from cotdistill.errors import UserError, raise_all
from cotdistill.recipe._limit import shorten
from cotdistill.recipe._merging import source_of_arm
from cotdistill.recipe._names import refuse_other_files
from cotdistill.recipe._other_names import OTHER_NAMES
from cotdistill.recipe.files import with_files
from cotdistill.recipe.openmind import is_flat, unflatten
from cotdistill.recipe.roles import BASELINE, EXAMPLES, LEARNED, NO_KINDS, TASKS, TEACHER, Roles
from cotdistill.recipe.rounds import RoundOptions
from cotdistill.recipe.secrets import refuse_secrets
from cotdistill.records import Checkpoint, Conversation, Problem, Record, Trace
from cotdistill.registry import KindOptions
from cotdistill.stage import Stage, StageOptions
from cotdistill.stages import ORDER, Sections, stages
from cotdistill.stages.convert import ConvertOptions
from cotdistill.storage.run_folder import default_name
from cotdistill.training.options import TrainOptions
from cotdistill.yamlfile import Source, faults, load, validate

__all__ = [
    "BASELINE",
    "EXAMPLES",
    "LEARNED",
    "TASKS",
    "TEACHER",
    "Arm",
    "LoadedRecipe",
    "Recipe",
    "Roles",
    "read_recipe",
]


class Recipe(Sections, Roles):
    """One YAML file, one run: the roles, and one section per stage."""

    other_names: ClassVar = OTHER_NAMES

    @model_validator(mode="before")
    @classmethod
    def _ask_as_the_exam_does(cls, given: Any) -> Any:  # Any: whatever stands in the recipe
        """Let `reinforce` ask by the system prompt and the prefill of `evaluate` where it names none of its own."""
        if not isinstance(given, dict):
            return given
        own, exam = given.get("reinforce"), given.get("evaluate")
        if not isinstance(own, dict) or not isinstance(exam, dict):
            return given
        asked = {key: exam[key] for key in ("system", "prefill") if key in exam and key not in own}
        return {**given, "reinforce": {**own, **asked}}

    def section(self, stage: Stage) -> StageOptions:
        """Return the options of a stage, its defaults where the recipe has no such section."""
        return self._given(stage) or stage.options()

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages that a recipe of this kind has, in order: all but the optional ones without a section.

        What opens rounds is none of them: a first round, or a recipe without rounds, has no student to ask yet.
        """
        known = (s for s in stages().values() if not s.opens_round)
        return tuple(s for s in known if not s.is_optional or self._given(s) is not None)

    def folder(self, stage: Stage) -> str:
        """Return the name of a stage's folder, its place among the recipe's stages before it: `2-filter`."""
        return f"{self.stages().index(stage) + 1}-{stage.name}"

    @property
    def schedule(self) -> tuple[RoundOptions, ...]:
        """Its rounds; none where it has no such section, or no student that learns from what a teacher is asked."""
        chain = self.chain() if self.rounds and not self.is_untrained and self.learns_own_rows() else ()
        needed = {Problem, Conversation} if len(self.rounds) > 1 else {Problem}
        return self.rounds if needed <= {stage.reads for stage in chain} else ()

    def learns_own_rows(self) -> bool:
        """Return whether the student learns from what `convert` writes, alone or beside registered sets."""
        own = (self.convert or ConvertOptions()).dataset
        phases = (self.train or TrainOptions()).in_phases()
        return any(not phase.dataset_names or own in phase.dataset_names for phase in phases)

    @property
    def is_untrained(self) -> bool:
        """Whether the student is asked as it is: an arm says `train: null` and leaves `evaluate` standing."""
        return self.leaves_out_train and self.reinforce is None and self.evaluate is not None

    @property
    def leaves_out_train(self) -> bool:
        """Whether it says `train: null`, which is another thing than to say nothing of it."""
        return "train" in self.model_fields_set and self.train is None

    @property
    def asks_points(self) -> bool:
        """Whether the student is asked as it was at every saved point of its training."""
        return self.evaluate is not None and self.evaluate.checkpoints == "all"

    def chain(self) -> tuple[Stage, ...]:
        """Return the stages that this recipe runs, in order."""
        known = self.stages()
        if self.is_untrained:
            return (stages()["evaluate"],)
        given = [place for place, stage in enumerate(known) if self._given(stage) is not None]
        if not given:
            return ()
        if self.leaves_out_train and self.reinforce is not None:
            return known[known.index(stages()["reinforce"]) : given[-1] + 1]
        return known[self._first(known, given[0]) : given[-1] + 1]

    @property
    def share_aside(self) -> float:
        """Share of all training rows that each set gets whose answers the untrained student gave."""
        return self.rehearse.share if self.rehearse is not None else 0.0

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that its evaluation asks; none where it has no such section."""
        return self.evaluate.tasks if self.evaluate is not None else ()

    def uses(self, stage: Stage) -> tuple[str, ...]:
        """Return the roles that a stage uses in this recipe, in the order of its declaration."""
        unused = self.section(stage).unused()
        if self.verifier.kind != "judge":
            unused |= {"judge"}
        if stage.reads is Checkpoint:
            # The teacher's own row of an evaluation is a step apart (`recipe/plan.py`).
            unused |= {TEACHER}
        return tuple(role for role in stage.uses if role not in unused)

    def role(self, name: str) -> KindOptions | None:
        """Return the options of a role; None where the recipe leaves it out, or where it is no kind, as `tasks` is."""
        if name in NO_KINDS:
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
    source: Source
    """The arm written out, with the place of every key: in the arm where it is overridden, else in the recipe."""


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe as read: the common part, its arms, and where everything stands."""

    main: Recipe
    arms: tuple[Arm, ...]
    """At least one; a recipe without `arms:` is its own single arm."""
    source: Source
    is_openmind: bool
    overrides: tuple[str, ...] = ()
    """What `--set` said, in order."""
    limit: int | None = None
    """What `--limit` said."""

    @property
    def folder(self) -> Path:
        """Folder of the recipe's file: its data sets and parts may stand beside it."""
        return self.source.path.parent

    @property
    def recipes(self) -> list[Recipe]:
        """The recipe of each arm."""
        return [arm.recipe for arm in self.arms]

    def source_of(self, recipe: Recipe) -> Source:
        """Return where the keys of an arm's recipe stand; of any other, those of the file."""
        return next((arm.source for arm in self.arms if arm.recipe is recipe), self.source)


def read_recipe(path: Path, *, overrides: Sequence[str] = (), limit: int | None = None) -> LoadedRecipe:
    """Return the recipe in a file, `--set key.path=value` applied; with a limit a short one under its own name.

    Raises: UserError, UserErrors: every fault at once, each with `file:line: key`.
    """
    refuse_other_files(path)
    source = load(path)
    is_openmind = is_flat(source.data)
    # A flat recipe takes its own keys (`max_steps=4`) and ours (`train.max_steps=4`).
    ours = [o for o in overrides if is_openmind and o.startswith(("train.", "student."))]
    _override(source, [o for o in overrides if o not in ours])
    if is_openmind:
        source = unflatten(source)
    _override(source, ours)
    refuse_secrets(source)
    source.data.setdefault("name", default_name(path))
    for name in ORDER:
        if name in source.data and source.data[name] is None:
            # A section that is written runs, with nothing in it by its defaults.
            source.data[name] = {}
    if limit is not None:
        shorten(source, limit)
    main = with_files(validate(source, Recipe), path.parent)
    return LoadedRecipe(main, _arms(main, source), source, is_openmind, tuple(overrides), limit)


def _override(source: Source, overrides: Sequence[str]) -> None:
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UserError("write it as key.path=value", f"--set {override}")
        if not value.strip():
            raise UserError("has no value", f"--set {override}", f"`--set {key}=null` takes away what the recipe says")
        source.set(key, value)


def _arms(main: Recipe, source: Source) -> tuple[Arm, ...]:
    if not main.arms:
        return (Arm(main.name, main, source),)
    arms, found = [], []
    for name, changes in main.arms.items():
        if name == BASELINE or (name == TEACHER and main.evaluate is not None and main.evaluate.teacher):
            where, hint = source.where(("arms", name)), f"use `evaluate: {{{name}: true}}`"
            found.append(UserError(f"the {name} is made by itself", where, hint))
            continue
        variant = source_of_arm(source, name, changes)
        try:
            recipe = Recipe.model_validate(variant.data)
        except ValidationError as error:
            found.extend(faults(error, variant, Recipe))
        else:
            arm = Arm(name, with_files(recipe, source.path.parent), variant)
            arms.append(arm)
            found.extend(_left_out(arm, changes, source))
            found.extend(_exam_of_its_own(arm, main))
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


def _exam_of_its_own(arm: Arm, main: Recipe) -> Iterator[UserError]:
    """Yield a fault where an arm would be asked other problems than the rest, and could be compared with none."""
    if main.problems is None or arm.recipe.problems is None:
        return
    if arm.recipe.problems.holdout not in (0, main.problems.holdout):
        yield UserError(
            f"an arm has no exam of its own: all are asked the recipe's holdout of {main.problems.holdout}",
            arm.source.where(("problems", "holdout")),
            "set `holdout:` in the recipe's own `problems:`, and leave it out here",
        )
