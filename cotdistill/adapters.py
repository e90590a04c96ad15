"""A LoRA adapter's folder, as peft writes it, and the model that it stands for.

adapter_config.json  {"base_model_name_or_path": "Qwen/Qwen2.5-7B", "peft_type": "LORA", "r": 8, …}
adapter_model.safetensors
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter alone."""
    return (folder / CONFIG).is_file()


def base_of(folder: Path) -> str:
    """Return the hub name or folder of the model that an adapter belongs to."""
    name: str = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    return name


def merged(folder: Path, *, trust_remote_code: bool = False) -> "PreTrainedModel":
    """Return the adapter's base with the adapter added to its weights, in the base's dtype, on the CPU.

    Raises: OSError, ValueError where the base cannot be loaded or another adapter stands in the folder.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(base_of(folder), dtype="auto", trust_remote_code=trust_remote_code)
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
