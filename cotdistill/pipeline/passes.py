"""How often a training of `max_steps` sees its rows, where their number is known before it starts."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cotdistill.data import Catalog
from cotdistill.pipeline.training_data import training_rows
from cotdistill.recipe.plan import Step
from cotdistill.training.launch.launch import world
from cotdistill.training.options import TrainOptions
from cotdistill.training.passes import repeated


def repeated_rows(steps: Iterable[Step], catalog: Catalog, run: Path) -> dict[str, str]:
    """Return a line for each step that trains on its rows more than once because of `max_steps`; the recipe is well."""
    found = {step.folder: "\n".join(dict.fromkeys(_lines(step, catalog, run))) for step in steps}
    return {folder: text for folder, text in found.items() if text}


def _lines(step: Step, catalog: Catalog, run: Path) -> Iterator[str]:
    """Yield a line for each phase whose rows are counted before it starts."""
    if not isinstance(step.options, TrainOptions):
        return
    for phase in step.options.in_phases():
        if phase.max_steps < 1:
            continue
        rows = training_rows(step, catalog, run).in_phase(phase, run / step.folder).number
        place = world(os.environ, processes=phase.num_processes)
        if line := repeated(phase, place, rows or 0):
            yield line
