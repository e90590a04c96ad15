"""Who is told a training's numbers beside metrics.jsonl, by transformers' names, and where each keeps its files."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cotdistill.errors import RecipeFault

PACKAGES: dict[str, tuple[str, ...]] = {
    "azure_ml": ("azureml",),
    "clearml": ("clearml",),
    "comet_ml": ("comet_ml",),
    "dagshub": ("dagshub", "mlflow"),
    "dvclive": ("dvclive",),
    "flyte": ("flytekit",),
    "kubeflow": (),
    "mlflow": ("mlflow",),
    "neptune": ("neptune",),
    "swanlab": ("swanlab",),
    "tensorboard": ("tensorboard",),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
}
"""Reporter -> what must be installed."""
ALSO = {"tensorboard": "tensorboardX"}
"""Reporter -> a package that serves as well."""
UNFIT = {"codecarbon": "its file would go with the checkpoints"}
"""Reporters of transformers that cannot be had, and why."""
FOLDERS = {
    "mlflow": "MLFLOW_TRACKING_URI",
    "tensorboard": "TENSORBOARD_LOGGING_DIR",
    "swanlab": "SWANLAB_LOG_DIR",
    "trackio": "TRACKIO_DIR",
    "wandb": "WANDB_DIR",
}
"""Reporter -> its own variable that says where its files are: a path, for mlflow a URI."""


def names(report_to: Any) -> list[str]:  # Any: transformers' value
    """Return the reporters that `report_to` names; `none` is none."""
    given = [report_to] if isinstance(report_to, str) else list(report_to or ())
    return [name for name in given if name != "none"]


def faults(report_to: Any) -> Iterator[RecipeFault]:  # Any: transformers' value
    """Yield a fault for each reporter that does not exist or is not installed."""
    for name in names(report_to):
        if name == "all":
            hint = "name those that are to be told, as `report_to: [tensorboard]`"
            yield RecipeFault("what `all` is changes with what is installed", "train.report_to", hint)
        elif name in UNFIT:
            yield RecipeFault(f"cannot be `{name}`: {UNFIT[name]}", "train.report_to")
        elif name not in PACKAGES:
            yield RecipeFault(f"unknown reporter `{name}`", "train.report_to", f"known: none, {', '.join(PACKAGES)}")
        elif missing := _missing(name):
            hint = f"pip install {' '.join(missing)}"
            yield RecipeFault(f"`{name}` needs {', '.join(missing)}", "train.report_to", hint)


def folders(report_to: Any, logs: Path) -> dict[str, str]:  # Any: transformers' value
    """Return the environment in which reporters write into a folder of their own in `logs`."""
    own = {name: (logs / name).resolve() for name in names(report_to) if name in FOLDERS}
    return {FOLDERS[name]: place.as_uri() if name == "mlflow" else str(place) for name, place in own.items()}


def _missing(name: str) -> list[str]:
    missing = [package for package in PACKAGES[name] if importlib.util.find_spec(package) is None]
    return [] if name in ALSO and importlib.util.find_spec(ALSO[name]) else missing
