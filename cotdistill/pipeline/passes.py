"""How often a training of `max_steps` sees its rows, where their number is known before it starts."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cotdistill.data import Catalog
from cotdistill.pipeline.training_data import training_rows
from cotdistill.recipe.plan import Step
from cotdistill.training.launch.launch import world
from cotdistill.training.options import TrainOptions


def repeated_rows(steps: Iterable[Step], catalog: Catalog, run: Path) -> dict[str, str]:
    """Return a line for each step that trains on its rows more than once because of `max_steps`; the recipe is well."""
    found = {step.folder: "\n".join(dict.fromkeys(_lines(step, catalog, run))) for step in steps}
    return {folder: text for folder, text in found.items() if text}


def _lines(step: Step, catalog: Catalog, run: Path) -> Iterator[str]:
    """Yield a line for each phase; none for packed rows, of which nobody knows how many a step takes."""
    if not isinstance(step.options, TrainOptions):
        return
    for phase in step.options.in_phases():
        if phase.max_steps < 1 or phase.bin_tokens:
            continue
        rows = training_rows(step, catalog, run).in_phase(phase, run / step.folder).number
        if rows and (passes := phase.max_steps * _rows_of_step(phase) / rows) > 1:
            yield f"max_steps {phase.max_steps:,} are {passes:.1f} passes over the {rows:,} rows"


def _rows_of_step(options: TrainOptions) -> int:
    """Return how many rows an optimiser step learns from on this machine, and on the others of the launch."""
    place = world(os.environ, processes=options.num_processes)
    devices = place.nodes * place.processes
    return devices * options.per_device_train_batch_size * options.gradient_accumulation_steps
