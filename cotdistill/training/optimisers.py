"""Packages that transformers' optimisers are made of, where torch alone is not enough."""

import importlib.util
import re
from collections.abc import Iterator

from cotdistill.errors import RecipeFault

PACKAGES = {
    r"adamw_torch_xla": "torch_xla",
    r"adamw_torch_npu_fused": "torch_npu",
    r"adamw_anyprecision": "torchdistx",
    r"adamw_torch_[48]bit": "torchao",
    r"galore_\w+": "galore_torch",
    r"apollo_\w+": "apollo_torch",
    r"(ada)?lomo": "lomo_optim",
    r"grokadamw": "grokadamw",
    r"schedule_free_\w+": "schedulefree",
    r"stable_adamw": "optimi",
    r"paged_\w+|ademamix\w*|lion_\w+|rmsprop_bnb\w*|adamw_(bnb_)?8bit": "bitsandbytes",
}
"""Name of an optimiser, as a regular expression -> the module that has it."""
INSTALLED_AS = {
    "apollo_torch": "apollo-torch",
    "galore_torch": "galore-torch",
    "lomo_optim": "lomo-optim",
    "optimi": "torch-optimi",
}


def package_of(optim: str) -> str | None:
    """Return the module that an optimiser needs beside torch; None for torch's own."""
    return next((package for pattern, package in PACKAGES.items() if re.fullmatch(pattern, optim)), None)


def missing_package(optim: str | None) -> Iterator[RecipeFault]:
    """Yield a fault where an optimiser's package is missing."""
    package = package_of(optim or "")
    if package is not None and importlib.util.find_spec(package) is None:
        hint = f"pip install {INSTALLED_AS.get(package, package)}, or `optim: adamw_torch`"
        yield RecipeFault(f"`{optim}` needs {package}", "train.optim", hint)
