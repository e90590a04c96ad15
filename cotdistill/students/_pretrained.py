"""What students share that start from a model's folder or hub name."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.errors import RecipeFault

if TYPE_CHECKING:
    import torch


def is_path(model: str) -> bool:
    """Return whether a model's name means a folder: a hub's is `name` or `owner/name`."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or Path(model).exists()


def check_model(model: str) -> None:
    """Return unless a model's name means a folder that is not there. Raises: RecipeFault."""
    if is_path(model) and not Path(model).is_dir():
        raise RecipeFault(f"no such folder: {model}", "student.model")


def check_package(name: str, kind: str) -> None:
    """Return if a package that a kind needs is installed. Raises: RecipeFault."""
    if importlib.util.find_spec(name) is None:
        raise RecipeFault(f"`{kind}` needs {name}", "student.kind", "pip install 'cotdistill[train]'")


def deepspeed_dtype() -> "torch.dtype | None":
    """Return what DeepSpeed will hold the weights in; None where it does not say, or is not at work."""
    import torch
    from transformers.integrations.deepspeed import deepspeed_config

    config = deepspeed_config() or {}
    for section, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        if config.get(section, {}).get("enabled") is True:
            return dtype
    return None
