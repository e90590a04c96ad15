"""A LoRA adapter's folder, as peft writes it, and the model that it stands for.

adapter_config.json  {"base_model_name_or_path": "Qwen/Qwen2.5-7B", "revision": null, "peft_type": "LORA", …}
adapter_model.safetensors
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter alone."""
    return (folder / CONFIG).is_file()


class Base(NamedTuple):
    """The model that an adapter belongs to."""

    model: str
    """Hub name or folder."""
    revision: str | None


def base_of(folder: Path) -> Base:
    """Return what an adapter's folder says of its model."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return Base(config["base_model_name_or_path"], config.get("revision"))


def merged(folder: Path, **arguments: Any) -> "PreTrainedModel":  # Any: arguments of from_pretrained
    """Return the adapter's base with the adapter added to its weights, in the base's dtype, on the CPU.

    `arguments` are those of the base's `from_pretrained`.
    Raises: OSError, ValueError where the base cannot be loaded or another adapter stands in the folder.
    """
    from peft import PeftModel
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    name = base_of(folder).model
    is_pair = AutoConfig.from_pretrained(name, **arguments).is_encoder_decoder
    base = (AutoModelForSeq2SeqLM if is_pair else AutoModelForCausalLM).from_pretrained(name, dtype="auto", **arguments)
    dtype = base.dtype
    _fit_vocabulary(base, folder)
    model: PreTrainedModel = PeftModel.from_pretrained(base, str(folder)).merge_and_unload(safe_merge=True)
    # What was learned whole was learned in float32.
    return model.to(dtype)


def _fit_vocabulary(base: "PreTrainedModel", folder: Path) -> None:
    """Give the base as many rows as an adapter has that learned new tokens."""
    from safetensors import safe_open

    embedding = base.get_input_embeddings()
    name = next(name for name, module in base.named_modules() if module is embedding)
    key = f"base_model.model.{name}.weight"
    with safe_open(folder / WEIGHTS, framework="pt") as weights:
        rows = weights.get_slice(key).get_shape()[0] if key in weights.keys() else embedding.num_embeddings  # noqa: SIM118
    if rows != embedding.num_embeddings:
        base.resize_token_embeddings(rows, mean_resizing=False)
