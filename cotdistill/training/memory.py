"""How much memory a training takes on each device, part by part, from the weights' headers: no torch, no weights read.

Weights, gradients and the optimiser's state are exact (Rajbhandari et al. 2020, sec. 3 and 5). Activations of a layer
are what autograd keeps of a decoder layer with a gated feed-forward, and attention that makes no matrix of pairs: seen
on Qwen2 with torch's saved_tensors_hooks, to 0.4 %; for a 7B in bfloat16 it gives 225 KB a token and layer, where 226
were measured. With checkpointing a layer keeps its input alone, and one layer at a time is whole (Chen et al. 2016).
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cotdistill.storage.model_folder import BYTES, ModelFolder
from cotdistill.training.deepspeed_config import zero_stage

Json = Any  # Any: a JSON value
MIB, GIB = 2**20, 2**30
OPTIMISER_BYTES = {r"sgd|adafactor|lomo": 0, r"\w*8bit": 2, r"adamw_torch_4bit": 1, r"lion_32bit": 4}
"""Optimiser, as a regular expression -> bytes of its state for each weight that learns."""
ADAM_BYTES = 8
"""Two moments in float32."""
LOGIT_BYTES = 11
"""Of a logit, its copy in float32, its gradient and the loss's own; measured."""
LARGE = 1_000_000_000
"""Parameters above which gradient checkpointing is on by itself, on an accelerator: a row of 4,096 tokens keeps 26 GB
of activations in a model of 7 B, 226 KB a token and layer, and computing them again costs a third more time."""
LOGITS_AT_ONCE = 512 * 2**20
"""Bytes of logits that the loss makes at a time."""


NAMES = ("num_attention_heads", "hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size")
"""Options of a config that say how large a decoder is."""


class Memory(NamedTuple):
    """Bytes on one device, at most."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """All of it; the device's own libraries take 1-2 GiB more."""
        return sum(self)


class Plan(NamedTuple):
    """What of a training decides its memory."""

    tokens: int
    """In the longest micro-step: rows times `cutoff_len`."""
    devices: int = 1
    is_half: bool = False
    """Whether it computes in bfloat16 or float16."""
    is_checkpointed: bool = False
    optim: str = "adamw_torch"
    deepspeed: Mapping[str, Json] | None = None
    lora_rank: int | None = None
    """Rank of low-rank matrices beside all linear layers, which alone learn; None: all weights do."""


class Sizes(NamedTuple):
    """What of a model decides its memory."""

    weights: int
    """Numbers in all of them; tied ones once."""
    linear: tuple[tuple[int, int], ...]
    """Shapes of the layers' matrices, embeddings and output head left out."""
    layers: int
    hidden: int
    feed_forward: int
    keys: int
    """Numbers in the keys of a token."""
    vocabulary: int
    stored: int
    """Bytes of all weights in their files, as what is frozen stays."""


def read_sizes(model: ModelFolder) -> Sizes | None:
    """Return a model's sizes; None where it is no decoder of the usual kind. Raises: UserError."""
    config = model.text_config
    named: list[Any] = [config.get(name) for name in NAMES]  # Any: JSON values
    if not all(isinstance(size, int) for size in named) or "num_experts" in config:
        return None
    heads, hidden, layers, feed_forward, vocabulary = map(int, named)
    width = config.get("head_dim") or hidden // heads
    tensors = {
        name: tensor
        for name, tensor in model.tensors.items()
        if not (name == "lm_head.weight" and model.config.get("tie_word_embeddings"))
    }
    in_layers = (tensor.shape for name, tensor in tensors.items() if re.search(r"\.\d+\..*weight$", name))
    return Sizes(
        sum(tensor.size for tensor in tensors.values()),
        tuple((shape[0], shape[1]) for shape in in_layers if len(shape) == 2),
        layers,
        hidden,
        feed_forward,
        (config.get("num_key_value_heads") or heads) * width,
        vocabulary,
        sum(tensor.size * BYTES.get(tensor.dtype, 4) for tensor in tensors.values()),
    )


def estimate(sizes: Sizes, plan: Plan) -> Memory:
    """Return what a training takes on each device."""
    learning = sizes.weights if plan.lora_rank is None else lora_size(sizes, plan.lora_rank)
    weights, gradients, optimiser = _states(sizes, learning, plan)
    kept, whole = layer_bytes(sizes, plan)
    activations = kept * sizes.layers + whole if plan.is_checkpointed else whole * sizes.layers
    head_gradient = 4 * sizes.vocabulary * sizes.hidden if plan.lora_rank is None else 0
    logits = min(LOGIT_BYTES * plan.tokens * sizes.vocabulary, LOGITS_AT_ONCE + head_gradient)
    return Memory(weights, gradients, optimiser, plan.tokens * activations, logits)


def lora_size(sizes: Sizes, rank: int) -> int:
    """Return how many numbers low-rank matrices beside all linear layers have."""
    return sum(rank * (rows + columns) for rows, columns in sizes.linear)


def layer_bytes(sizes: Sizes, plan: Plan) -> tuple[int, int]:
    """Return the bytes of a token in a layer: of its input, and of all that autograd keeps."""
    hidden, inner, keys = sizes.hidden, sizes.feed_forward, sizes.keys
    if not plan.is_half:
        return 4 * hidden, 32 * hidden + 16 * inner + 8 * keys
    if plan.deepspeed is not None:
        return 2 * hidden, 20 * hidden + 8 * inner + 4 * keys
    # Weights are float32 there, and so is what goes from layer to layer.
    return 4 * hidden, 30 * hidden + 8 * inner + 4 * keys


def shown(memory: Memory, plan: Plan) -> str:
    """Return the estimate as a line for people."""
    unit, name = (GIB, "GiB") if memory.total >= GIB else (MIB, "MiB")
    parts = ", ".join(f"{part} {size / unit:.1f}" for part, size in memory._asdict().items())
    how = "checkpointed" if plan.is_checkpointed else "without gradient checkpointing"
    return (
        f"at most {memory.total / unit:.1f} {name} on each of {plan.devices} devices, libraries apart: {parts} "
        f"({plan.tokens:,} tokens at a time, {how})"
    )


def advice(longest: int) -> str:
    """Return what to change first where memory runs out; `longest` is the longest row, in tokens."""
    return (
        f"the longest row has {longest:,} tokens; in this order: `gradient_checkpointing: true`, a lower `cutoff_len`, "
        "ZeRO-3 by `deepspeed:`, a `lora` student; `check` prints what each takes"
    )


def _states(sizes: Sizes, learning: int, plan: Plan) -> tuple[float, float, float]:
    """Return bytes of weights, gradients and the optimiser's state on each device."""
    patterns = OPTIMISER_BYTES.items()
    state = next((size for pattern, size in patterns if re.fullmatch(pattern, plan.optim)), ADAM_BYTES)
    is_frozen, number = plan.lora_rank is not None, plan.devices
    total = sizes.weights + (learning if is_frozen else 0)
    if plan.deepspeed is None:
        held = sizes.stored + 4 * learning if is_frozen else 4 * total
        copies = 2 * learning if plan.is_half else 0  # autocast keeps what it has cast until the forward ends
        buckets = 4 * learning if number > 1 else 0  # DistributedDataParallel's own
        return held + copies, 4 * learning + buckets, state * learning
    stage = zero_stage(plan.deepspeed)
    width = 2 if plan.is_half else 4
    weights = width * total / (number if stage == 3 else 1)
    gradients = width * learning / (number if stage >= 2 else 1)
    optimiser = (4 + state) * learning / (number if stage >= 1 else 1)  # with its copy of the weights in float32
    zero = plan.deepspeed.get("zero_optimization") or {}
    return (0 if _is_away(zero, "param") else weights), gradients, (0 if _is_away(zero, "optimizer") else optimiser)


def _is_away(zero: Mapping[str, Json], what: str) -> bool:
    """Return whether DeepSpeed keeps weights or the optimiser's state in the machine's own memory, or on its disk."""
    offload = zero.get(f"offload_{what}")
    return isinstance(offload, dict) and offload.get("device") in ("cpu", "nvme")
