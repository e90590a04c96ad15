"""A training as the train stage starts it, in a folder of a test."""

from cotdistill.training.options import TrainOptions
from cotdistill.training.run import train


def start_training(folder, conversations, options, *, base, student, on_progress=lambda done, total: None, **more):
    """Train with these options and return the result."""
    return train(
        conversations,
        TrainOptions.model_validate(options),
        student=student,
        base=base,
        folder=folder / "4-train",
        tokens=folder / "tokens",
        log_file=folder / "run.log",
        seed=7,
        on_progress=on_progress,
        **more,
    )
