"""Conversations: what `convert` wrote, registered sets, or a mix of both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.pipeline.training_data import (
    check_evaluation_sets,
    check_log_probabilities,
    check_rationales_can_be_told,
    check_sets,
    registered_key,
    training_rows,
)
from cotdistill.recipe.plan import Step
from cotdistill.records import Record
from cotdistill.stage import Progress

Json = Any  # Any: a JSON value


@dataclass(frozen=True)
class ConversationSource:
    """What a student learns from."""

    inputs: RunInputs

    def check(self, step: Step) -> None:
        """Raise UserError where there is nothing to learn from, or not what the options want to know of it."""
        checks = {
            "dataset": self._check_sets,
            "eval_dataset": self._check_evaluation_sets,
            "on_overlong": check_rationales_can_be_told,
            "loss": check_log_probabilities,
        }
        for key, check in checks.items():
            try:
                check(step)
            except UserError as error:
                raise self.inputs.placed(error, (step.stage.name, key), step.recipe) from None

    def key(self, step: Step) -> Mapping[str, Json]:
        """Return what tells the registered sets from others."""
        datasets = registered_key(step, self.inputs.catalog)
        if step.upstream is None:
            return {"rows": datasets}
        return {"datasets": datasets} if datasets else {}

    def rows(self, step: Step, run: Path, progress: Progress) -> Iterable[Record]:  # noqa: ARG002
        """Return the conversations, to be gone through as often as needed."""
        return training_rows(step, self.inputs.catalog, run)

    def _check_evaluation_sets(self, step: Step) -> None:
        check_evaluation_sets(step, self.inputs.catalog)

    def _check_sets(self, step: Step) -> None:
        check_sets(step, self.inputs.catalog)
