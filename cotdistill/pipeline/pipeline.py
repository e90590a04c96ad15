"""Order of the stages: what is done is skipped, what was interrupted goes on, what changed is never silently reused.

state of a step   manifest.json     its key      what happens
done              there             the same     skipped
interrupted       not there         -            goes on where it stopped
changed           there             another      stops, shows what changed, offers --redo
"""

import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cotdistill.errors import RecipeFault, UserError, raise_all
from cotdistill.nodes.meeting import Meeting
from cotdistill.pipeline.checks import Checks
from cotdistill.pipeline.description import write_arms, write_recipe
from cotdistill.pipeline.estimate import tell_of_later_rounds
from cotdistill.pipeline.examples import example_manifest, example_step
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.pipeline.live import noted
from cotdistill.pipeline.options import RunOptions, RunResult
from cotdistill.pipeline.outputs import store
from cotdistill.pipeline.preparing import make_ready, nothing_to_run, refuse_unmerged
from cotdistill.pipeline.roles import open_roles
from cotdistill.pipeline.sources import count_rows_in, open_sources
from cotdistill.pipeline.step_keys import changed, key_parts, recipe_part
from cotdistill.pipeline.written_traces import written_by
from cotdistill.publishing.cards import card
from cotdistill.recipe.plan import Plan, Step, make_plan
from cotdistill.recipe.recipe import LoadedRecipe, Recipe
from cotdistill.records import Conversation, Problem, Record
from cotdistill.stage import Shard, Stage, Workspace
from cotdistill.stages import ORDER
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import file_sha256, key_of
from cotdistill.storage.run_folder import (
    CARD,
    LAYOUT,
    MANIFEST,
    PROBLEMS,
    STARTED,
    Manifest,
    Output,
    locked,
    read_manifest,
    versions,
    write_manifest,
)

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value


class Pipeline:
    """One recipe in its run folder."""

    def __init__(self, recipe: LoadedRecipe, options: RunOptions) -> None:
        self.recipe = recipe
        self.options = options
        self.folder = options.runs / recipe.main.name
        self.inputs = RunInputs(recipe, kept_in=self.folder / PROBLEMS)
        self.plan: Plan = make_plan(recipe, self._part)
        self.sources = open_sources(self.inputs)
        self.checks = Checks(self.inputs, self.sources, self.plan, self.folder, is_probing=options.is_probing)
        self.meeting: Meeting | None = None

    def run(self) -> RunResult:
        """Do every step that is not done.

        Raises: UserError and its kinds; what was finished stays finished.
        """
        self._refuse_nothing()
        with locked(self.folder):
            result = RunResult(self.folder)
            found = self.checks.input_faults(list(self.chosen()))
            todo = list(self.chosen()) if found else self._todo()
            raise_all(found + self.checks.work_faults(todo))
            self._check_engine()
            write_recipe(self.recipe, self.folder)
            write_arms(self.plan, self.folder)
            redone: set[str] = set()
            for step in self._within_reach(self.chosen(), todo):
                if step.stage.name != self.options.redo and self._is_done(step, redone):
                    result.skipped.append(step.folder)
                    continue
                try:
                    self._do(step)
                except RecipeFault as fault:
                    raise self.inputs.placed(fault, (step.stage.name,), step.recipe) from None
                tell_of_later_rounds(step, self.plan.steps, self.inputs, self.folder)
                redone.add(step.folder)
                result.done.append(step.folder)
            write_arms(self.plan, self.folder)
            return result

    def check(self) -> None:
        """Raise every fault that can be known before money or hours are spent, done steps included."""
        self._refuse_nothing()
        steps = list(self.chosen())
        raise_all(self.checks.input_faults(steps) + self.checks.work_faults(steps, waits=False))
        self._check_engine()

    def sample_steps(self) -> list[Step]:
        """Return the steps that ask a teacher for what is learned from, as far as it is known what they ask."""
        asking = (step for step in self.plan.steps if step.stage.reads is Problem)
        return [step for step in asking if all(self._state(before) == "done" for before in step.upstreams)]

    def asked(self, step: Step) -> Sequence[Problem]:
        """Return the problems that a step asks which samples. Raises: UserError."""
        rows = self.sources.of(step).rows(step, self.folder, self.options.progress)
        return rows if isinstance(rows, Sequence) else tuple(rows)  # type: ignore[arg-type]

    def pilot(self, count: int) -> None:
        """Ask `count` problems, chosen by seed, of every step that samples; their answers are stored like all others.

        Raises: UserError and its kinds.
        """
        with locked(self.folder):
            for step in self.sample_steps():
                self._check_merged(step)
                (self.folder / step.folder).mkdir(parents=True, exist_ok=True)
                problems = self.asked(step)
                chosen = random.Random(step.recipe.seed).sample(problems, min(count, len(problems)))
                for _ in self.rows(step, chosen):
                    continue

    def _refuse_nothing(self) -> None:
        """Raise UserError where no stage would run: what does nothing is never called done."""
        if not any(True for _ in self.chosen()):
            raise nothing_to_run(self.plan.steps, self.options.only, str(self.recipe.source.path))

    def _check_engine(self) -> None:
        """Raise UserError where the cluster that is to work, or one of its machines, cannot."""
        if self.options.engine is not None:
            self.options.engine.check(self.folder)

    def chosen(self) -> Iterator[Step]:
        """Return the steps of the stage that is asked for, or all."""
        for step in self.plan.steps:
            if self.options.only in (None, step.stage.name):
                yield step

    def _todo(self) -> list[Step]:
        """Return the steps that certainly have work, and stop at those that changed.

        Raises: UserError where a step changed and `--redo` does not cover it, or an earlier stage is missing.
        """
        todo: list[Step] = []
        for step in self._within_reach(self.chosen(), todo):
            for before in (*step.read, example_step(step, self.plan)) if self.options.only else ():
                if before is not None:
                    self.check_finished(step, before)
            state = self._state(step)
            if state == "changed" and not self._is_redo(step, todo):
                raise self._changed_error(step)
            if state != "done" or self.options.redo == step.stage.name:
                self._check_merged(step)
                todo.append(step)
        return todo

    def _within_reach(self, steps: Iterable[Step], todo: Sequence[Step]) -> Iterator[Step]:
        """Yield steps; of one stage alone no further than the round that waits for another stage of `todo`'s rounds."""
        for step in steps:
            is_alone = self.options.only is not None
            if is_alone and todo and step.round > 1 and any(self._state(b) != "done" for b in step.upstreams):
                log.info("%s waits for the stages before it: `run` does all rounds", step.folder)
                continue
            yield step

    def _check_merged(self, step: Step) -> None:
        """Raise UserError where shards of a step hold answers that it would ask again."""
        # On a cluster the same command goes on with them.
        if self.options.engine is None:
            refuse_unmerged(self.folder / step.folder, self.options.command("merge", self.recipe))

    def check_finished(self, step: Step, upstream: Step) -> None:
        """Raise UserError where a stage that runs alone would read rows that are not there or of another recipe."""
        for before in upstream.upstreams:
            self.check_finished(upstream, before)
        state = self._state(upstream)
        if state == "changed":
            raise self._changed_error(upstream)
        if state != "done":
            raise UserError(
                f"`{step.stage.name}` reads the rows of `{upstream.stage.name}`, which is not finished",
                str(self.folder / upstream.folder),
                f"first: {self.options.command(upstream.stage.name, self.recipe)}",
            )

    def _is_redo(self, step: Step, todo: list[Step]) -> bool:
        """Return whether a changed step may be done again: it was named, or one that it reads from was."""
        return self.options.redo is not None and (self._may_redo(step) or any(before in todo for before in step.read))

    def _may_redo(self, step: Step) -> bool:
        """Return whether a step is of the stage that is to be done again, or of one after it."""
        redo = self.options.redo
        return redo is not None and ORDER.index(step.stage.name) >= ORDER.index(redo)

    def _is_done(self, step: Step, redone: set[str]) -> bool:
        state = self._state(step)
        is_behind = any(before.folder in redone for before in step.read)
        if state == "changed" and self.options.redo is None and not is_behind:
            raise self._changed_error(step)
        return state == "done"

    def _state(self, step: Step) -> Literal["done", "changed", "to do"]:
        """Return where a step stands; one whose upstream is not finished cannot be called done yet."""
        manifest = read_manifest(self.folder / step.folder)
        parts = self.parts_of(step)
        if manifest is None or parts is None:
            return "to do"
        return "done" if manifest.key == key_of(parts) else "changed"

    def _changed_error(self, step: Step) -> UserError:
        manifest = read_manifest(self.folder / step.folder)
        lines = changed(manifest.recipe if manifest else None, self.parts_of(step), step.stage.name)
        what = "; ".join(lines[:4]) + (f"; and {len(lines) - 4} more" if len(lines) > 4 else "")
        return UserError(
            what,
            str(self.folder / step.folder),
            f"--redo {step.stage.name} {step.stage.redo_says}; another `name:` starts a new run",
        )

    def parts_of(self, step: Step) -> Json | None:
        """Return all that the step's key is the hash of; None while its upstream is not finished."""
        upstreams = [read_manifest(self.folder / before.folder) for before in step.upstreams]
        examples = example_manifest(step, self.plan, self.folder)
        aside = read_manifest(self.folder / step.aside.folder) if step.aside is not None else None
        return key_parts(step, upstreams, self.inputs, self.sources, examples=examples, aside=aside)

    def _do(self, step: Step) -> None:
        folder = self.folder / step.folder
        parts = self.parts_of(step)
        if parts is None:
            raise AssertionError(f"{step.folder} starts before its upstream is finished")
        key = key_of(parts)
        self.prepare(step, folder, key)
        log.info("%s: starts", step.folder)
        started, clock = datetime.now(UTC), time.monotonic()
        if step.stage.reads is Problem and self.options.engine is not None:
            from cotdistill.pipeline.cluster_sampling import sample_on_cluster

            sample_on_cluster(self, step, self.options.engine)
        counts, outputs = store(step, folder, self.rows(step, key=key))
        if text := card(step, self.folder, counts, self.inputs.catalog):
            write_text(folder / CARD, text)
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name not in {STARTED, MANIFEST, *outputs}:
                outputs[path.name] = Output(sha256=file_sha256(path), size_bytes=path.stat().st_size)
        write_manifest(
            folder,
            Manifest(
                layout=LAYOUT,
                stage=step.stage.name,
                key=key,
                recipe=parts,
                outputs=outputs,
                counts=counts,
                versions=dict(versions()),
                started=started.isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - clock, 3),
            ),
        )
        (folder / STARTED).unlink()
        log.info("%s: %s", step.folder, counts)

    def rows(
        self, step: Step, rows_in: Iterable[Record] | None = None, *, shard: Shard | None = None, key: str = ""
    ) -> Iterator[Record]:
        """Return what a stage yields for its input, or for other rows; its folder must exist. `key` is the step's."""
        folder, is_redone = self.folder / step.folder, self._may_redo(step)
        progress = noted(self.options.progress, folder)
        work = Workspace(folder, self.folder, step.seed, progress, shard, is_redone, self.meeting)
        recipe, arm = step.recipe, self.plan.arm_of(step)
        work = replace(work, arm=arm, keeps_points=recipe.asks_points, base_seed=recipe.seed)
        earlier = tuple(self.folder / before.folder for before in step.upstreams if before.stage is step.stage)
        work = replace(work, engine=self.options.engine, round=step.round, earlier=earlier)
        work = replace(work, rows_in=count_rows_in(step, self.folder), key=key)
        roles = open_roles(step, self.plan, self.inputs, self.folder)
        if rows_in is None:
            rows_in = self.sources.of(step).rows(step, self.folder, progress)
        return self.checks.remote.watched(step, step.stage.function(rows_in, step.options, work, **roles))

    def prepare(self, step: Step, folder: Path, key: str) -> None:
        """Make the folder ready: finished work and leftovers of another key are set aside, not deleted."""
        make_ready(step, folder, key, is_redone=self._may_redo(step))

    def _part(self, stage: Stage, recipe: Recipe) -> Json:
        """Return what of a recipe decides the rows of a stage, the style of traces that it trains on included."""
        written = written_by(recipe, self.inputs) if stage.reads is Conversation else None
        return {**recipe_part(stage, recipe), **({"style": written} if written else {})}
