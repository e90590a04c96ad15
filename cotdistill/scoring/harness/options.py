"""What a recipe says of lm-evaluation-harness: `evaluate: {mode: harness, harness: {num_fewshot: 0}}`."""

import importlib.util
from collections.abc import Set
from typing import Literal

from pydantic import Field

from cotdistill.errors import RecipeFault
from cotdistill.registry import Options

Mode = Literal["reasoning", "harness"]

REASONING_ONLY = (
    "max_tokens",
    "num_beams",
    "samples_per_problem",
    "temperature",
    "top_p",
    "seed",
    "shots",
    "system",
    "prefill",
    "think_budget",
    "sampler",
    "teacher",
    "teacher_budget",
)
"""Options of `evaluate` that lm-eval has its own for, or none; it asks students alone."""
UNUSED = frozenset({"style", "verifier", "judge"})
"""Roles that lm-eval has no use for."""
DEFAULT_MAX_GEN_TOKS = 256
"""lm-eval's own for models of transformers."""
INSTALL = "pip install 'cotdistill[eval]'"


class HarnessOptions(Options):
    """How lm-evaluation-harness asks in `mode: harness`; what is not given stays as each of its tasks has it."""

    apply_chat_template: bool = False
    """Put each prompt into the tokenizer's chat template; off, as in lm-eval, which asks for a bare continuation."""
    num_fewshot: int | None = Field(None, ge=0)
    """Worked examples before each question; default: the task's own, 5 for gsm8k. A task that sets 0 keeps 0."""
    max_gen_toks: int | None = Field(None, ge=1)
    """Longest answer in tokens; default: the task's own, or lm-eval's 256, too few for a model that thinks."""
    until: tuple[str, ...] | None = None
    """Texts at which an answer ends; default: the task's own, as `Question:` for gsm8k."""
    think_end_token: str | None = Field(None, min_length=1)
    """Text (or id of the token) that ends the thinking, as `</think>`: what stands before it is not read."""
    filter: str | None = None
    """The task's filter by which a row is right or wrong; default: `flexible-extract` where the task has it, else its
    first one. `harness.json` has the numbers of all."""


def check_mode(mode: Mode, given: Set[str]) -> None:
    """Return if the options that the recipe gives, by name, are of its mode, and lm-eval is there for `harness`.

    Raises: RecipeFault that names the key.
    """
    if mode == "reasoning":
        if "harness" in given:
            raise RecipeFault("is for `mode: harness`", "evaluate.harness", "add it, or remove this")
        return
    for name in REASONING_ONLY:
        if name in given:
            hint = "lm-eval's own options stand under `harness:`"
            raise RecipeFault("is not for `mode: harness`", f"evaluate.{name}", hint)
    check_installed()


def check_installed() -> None:
    """Return if lm-eval is installed. Raises: RecipeFault with the line that installs it."""
    if importlib.util.find_spec("lm_eval") is None:
        raise RecipeFault("`mode: harness` needs lm_eval", "evaluate.mode", INSTALL)
