"""Which arms a run has, and where the stages of each are; written before the first stage starts.

runs/<name>/arms.json:
{"arms": [{"name": "filtered", "kind": "trained", "baseline": "baseline", "stages": {"sample": "1-sample", …}}, …]}
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from cotdistill.errors import UserError, first_fault
from cotdistill.records import ArmKind, Record
from cotdistill.storage.run_folder import ARMS, read_manifest
from cotdistill.yamlfile import nearest


class PointScores(Record):
    """Where the scores of a student on its way are."""

    step: int
    folder: str
    """Relative to the run's; its rows.jsonl holds a Score a line."""


class ArmStages(Record):
    """Where the stages of an arm live."""

    name: str
    kind: ArmKind | None = None
    """None in runs of earlier versions."""
    baseline: str | None = None
    """Name of the row of the same student before its training."""
    of: str | None = None
    """The recipe's arm, where it is trained with several seeds."""
    seed: int | None = None
    """The one of this training."""
    rounds: tuple[dict[str, str], ...] = ()
    """The stages of each round but the last, as `stages` has those of the last."""
    stages: dict[str, str]
    """Stage -> its folder, relative to the run's; shared ones occur in several arms."""
    steps: tuple[PointScores, ...] = ()
    """The points of its training that were asked too, in order."""

    @property
    def chains(self) -> tuple[dict[str, str], ...]:
        """Stage -> folder for each round, in order; most arms have one."""
        return (*self.rounds, self.stages)

    @property
    def folders(self) -> dict[str, str]:
        """The folder of every stage -> its stage, those of earlier rounds first."""
        return {folder: stage for stages in self.chains for stage, folder in stages.items()}


class Arms(Record):
    """The file `arms.json`."""

    arms: tuple[ArmStages, ...]


def read_arms(run: Path) -> Arms:
    """Return the arms of a run. Raises: UserError where the folder is no run."""
    path = run / ARMS
    try:
        return Arms.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"is no run folder: it has no {ARMS}", str(run), "a run folder is runs/<name>, made by `run`"
        ) from None
    except ValidationError as error:
        raise UserError(str(first_fault(error)), str(path)) from None


def find_arm(run: Path, name: str | None, *, having: Sequence[str]) -> ArmStages:
    """Return an arm of a run; without a name the first one that has one of these stages.

    Raises: UserError: no run, no such arm, none of the stages.
    """
    arms = read_arms(run).arms
    if name is not None:
        found = next((arm for arm in arms if arm.name == name), None)
        if found is None:
            names = [arm.name for arm in arms]
            raise UserError(f"has no arm `{name}`", str(run), nearest(name, names) or f"arms: {', '.join(names)}")
        return found
    chosen = next((arm for arm in arms if any(stage in arm.stages for stage in having)), None)
    if chosen is None:
        raise UserError(f"no arm has a `{having[0]}`", str(run), f"it needs a recipe with `{having[0]}:`")
    return chosen


def finished_stage(run: Path, arm: ArmStages, stage: str) -> Path:
    """Return the folder of a finished stage of an arm. Raises: UserError where it is not finished."""
    folder = run / arm.stages[stage]
    if read_manifest(folder) is None:
        hint = f"`cotdistill-cli status {run}` says how far it is; the command that began it goes on"
        raise UserError(f"the `{stage}` of the arm `{arm.name}` is not finished", str(folder), hint)
    return folder
