"""What a model's config says of rows that lie end to end: without torch, before anything is loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.students import NeedsPadding

if TYPE_CHECKING:
    from transformers import PretrainedConfig


def check_folder(model: str) -> None:
    """Return unless the config in a model's folder says that its rows must be padded. Raises: NeedsPadding."""
    from transformers import AutoConfig

    if not (Path(model) / "config.json").is_file():
        return  # a hub's model, or one that is still to be made
    try:
        config = AutoConfig.from_pretrained(model, trust_remote_code=False)
    except (OSError, ValueError):
        return  # code of its own, which only the training may run
    if reason := why_padded_by(config.get_text_config()):
        raise NeedsPadding(reason)


def why_padded_by(config: "PretrainedConfig") -> str | None:
    """Return what in a config keeps rows from lying end to end; None where nothing does."""
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    is_windowed = bool(getattr(config, "sliding_window", None)) and not getattr(config, "layer_types", None)
    obstacles = {
        "it is an encoder-decoder": bool(config.is_encoder_decoder),
        "it has layers with a sliding window or other than attention": layers != {"full_attention"} or is_windowed,
        "it caps its attention": bool(getattr(config, "attn_logit_softcapping", None)),
    }
    return next((reason for reason, is_so in obstacles.items() if is_so), None)
