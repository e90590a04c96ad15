"""What students share that start from a model's folder or hub name."""

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill import adapters
from cotdistill.errors import RecipeFault

if TYPE_CHECKING:
    import torch


def is_path(model: str) -> bool:
    """Return whether a model's name means a folder: a hub's is `name` or `owner/name`."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or Path(model).exists()


def check_model(model: str, *, is_pair: bool = False) -> None:
    """Return unless a model's name means a folder that is not there, or that holds a model of the other make.

    `is_pair`: an encoder-decoder is wanted. Raises: RecipeFault.
    """
    if is_path(model) and not Path(model).is_dir():
        raise RecipeFault(f"no such folder: {model}", "student.model")
    config = Path(model) / "config.json"
    if adapters.is_adapter(Path(model)) and not config.is_file():
        hint = "train with `merge: true`, or from the model that it belongs to"
        raise RecipeFault(f"{model} is an adapter, no model", "student.model", hint)
    if config.is_file() and _is_pair(config) is not is_pair:
        make, kinds = ("no encoder-decoder", "full` or `lora") if is_pair else ("an encoder-decoder", "seq2seq")
        raise RecipeFault(f"{model} is {make}", "student.model", f"`kind: {kinds}` trains it")


def check_package(name: str, kind: str) -> None:
    """Return if a package that a kind needs is installed. Raises: RecipeFault."""
    if importlib.util.find_spec(name) is None:
        raise RecipeFault(f"`{kind}` needs {name}", "student.kind", "pip install 'cotdistill[train]'")


def _is_pair(config: Path) -> bool:
    """Return whether a config.json is that of an encoder-decoder. Raises: RecipeFault: it is no JSON object."""
    try:
        return json.loads(config.read_text(encoding="utf-8")).get("is_encoder_decoder") is True
    except (ValueError, AttributeError):
        raise RecipeFault(f"{config} is no JSON object", "student.model") from None


def deepspeed_dtype() -> "torch.dtype | None":
    """Return what DeepSpeed will hold the weights in; None where it does not say, or is not at work."""
    import torch
    from transformers.integrations.deepspeed import deepspeed_config

    config = deepspeed_config() or {}
    for section, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        if config.get(section, {}).get("enabled") is True:
            return dtype
    return None
