"""How often a training of `max_steps` sees its rows."""

from cotdistill.training.launch.launch import World
from cotdistill.training.options import TrainOptions


def repeated(options: TrainOptions, place: World, rows: int) -> str | None:
    """Return a line where `max_steps` come to more than one pass over so many rows in this place.

    None for packed rows too, of which nobody knows how many a step takes.
    """
    if options.max_steps < 1 or options.bin_tokens or not rows:
        return None
    devices = place.nodes * place.processes
    rows_of_step = devices * options.per_device_train_batch_size * options.gradient_accumulation_steps
    passes = options.max_steps * rows_of_step / rows
    return f"max_steps {options.max_steps:,} are {passes:.1f} passes over the {rows:,} rows" if passes > 1 else None
