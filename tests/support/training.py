"""A training as the train stage starts it, in a folder of a test."""

from cotdistill.training.options import TrainOptions
from cotdistill.training.run import train
from cotdistill.training.training import Training, TrainingSet


def start_training(
    folder, conversations, options, *, base, student, on_progress=lambda done, total: None, evaluation=None, **more
):
    """Train with these options and return the result."""
    training = Training(
        options=TrainOptions.model_validate(options),
        student=student,
        base=base,
        folder=folder / "4-train",
        tokens=folder / "tokens",
        log_file=folder / "run.log",
        seed=7,
        **more,
    )
    return train(training, TrainingSet(conversations, evaluation=evaluation), on_progress=on_progress)
