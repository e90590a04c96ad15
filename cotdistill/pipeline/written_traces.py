"""A registered set of traces as what a student learns from: written in the recipe's style, as `convert` writes its own.

train: {dataset: s1K-1.1}        its answers become conversations in `convert: {style: …}`, whole answers alone
"""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cotdistill.data import Dataset
from cotdistill.data.recorded import read_conversations, read_traces
from cotdistill.errors import UserError
from cotdistill.filters.status import reason_against_status
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.recipe.recipe import Recipe
from cotdistill.records import Conversation
from cotdistill.registry import KindOptions
from cotdistill.storage.keys import by_content
from cotdistill.styles import Style, conversation
from cotdistill.training.options import TrainOptions

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value


def read_rows(dataset: Dataset, recipe: Recipe, folder: Path | None) -> Iterator[Conversation]:
    """Yield a set's conversations, or its traces as such in the recipe's style; bad rows go to `folder`.

    None: they are not kept, and what is left out is not told. Raises: UserError: the set cannot be read.
    """
    if dataset.entry.is_conversations:
        if folder is None:
            return dataset.read_conversations(bad=dataset.new_bad_rows())
        return read_conversations(dataset, folder)
    return _written(dataset, _style(recipe).build(), folder)


def check_set(dataset: Dataset, recipe: Recipe) -> None:
    """Return if a student can learn from a set, as far as is known before it is read. Raises: UserError."""
    dataset.check()
    if not dataset.entry.is_conversations:
        dataset.check_traces()
        _style(recipe).build().check()


def style_key(dataset: Dataset, recipe: Recipe) -> list[Json]:
    """Return what the rows of a set of traces are written by, one value; none for a set of conversations."""
    return [] if dataset.entry.is_conversations else [by_content(_style(recipe))]


def written_by(recipe: Recipe, inputs: RunInputs) -> Json | None:
    """Return the style that a training writes traces in; None where no set of `train.dataset` holds any.

    A set that cannot be found is left to the check, and where none is named no registry is looked at.
    """
    names = {name for phase in (recipe.train or TrainOptions()).in_phases() for name in phase.dataset_names}
    for name in sorted(names):
        try:
            written = style_key(inputs.catalog.find(name), recipe)
        except UserError:
            continue
        if written:
            return written[0]
    return None


def _style(recipe: Recipe) -> KindOptions:
    style = recipe.role("style")
    assert style is not None, "a recipe has a style, if only by default"
    return style


def _written(dataset: Dataset, style: Style, folder: Path | None) -> Iterator[Conversation]:
    left_out: Counter[str] = Counter()
    bad = dataset.new_bad_rows()
    for trace in dataset.read_traces(bad=bad) if folder is None else read_traces(dataset, folder):
        if reason := reason_against_status(trace):
            left_out[reason.kind] += 1
            continue
        written = conversation(style, trace)
        if not written.messages[-1].content.strip():
            left_out["empty"] += 1
            continue
        yield written
    if left_out and folder is not None:
        said = ", ".join(f"{count:,} {kind}" for kind, count in left_out.most_common())
        log.warning("%s: answers that are not whole are left out: %s", dataset.name, said)
