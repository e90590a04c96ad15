"""The devices that a training may use: those that the environment names, if torch sees them too."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cotdistill.errors import UserError

CPU = "cpu"
VISIBLE = {"npu": "ASCEND_RT_VISIBLE_DEVICES", "cuda": "CUDA_VISIBLE_DEVICES"}
"""Kind of device, by torch's name -> the variable that says which of them may be used."""
ALLOCATOR = {"npu": "PYTORCH_NPU_ALLOC_CONF", "cuda": "PYTORCH_CUDA_ALLOC_CONF"}
EXPANDABLE = "expandable_segments:True"
"""Rows differ in length; memory that can grow in place is not lost to gaps between blocks of other sizes."""
WHY_NOT_SEEN = {
    "npu": "torch-npu is not installed, or CANN's set_env.sh was not sourced, or there is no such device",
    "cuda": "this is no CUDA build of torch, or the driver is missing, or there is no such device",
}
DEVICE_FILES = ("nvidia[0-9]*", "davinci[0-9]*", "dxg", "kfd")
ASK = """
import contextlib, torch
with contextlib.suppress(ImportError):
    import torch_npu
if torch.accelerator.is_available():
    print(torch.accelerator.current_accelerator().type, torch.accelerator.device_count())
else:
    print("cpu", 0)
"""


class Devices(NamedTuple):
    """Devices of one kind."""

    kind: str
    """By torch's name: cuda, npu, …, cpu."""
    number: int
    """0 for a CPU."""
    fault: str = ""
    """Why torch cannot be asked, in its last line."""


Ask = Callable[[Mapping[str, str]], Devices]
"""Given the environment, returns what torch sees in it."""


def ask_torch(environment: Mapping[str, str]) -> Devices:
    """Return the devices that torch sees, asked in a process of its own: this one shall not hold any."""
    if not _are_set(environment) and not any(next(Path("/dev").glob(pattern), None) for pattern in DEVICE_FILES):
        return Devices(CPU, 0)
    return _ask_torch(tuple(environment.items()))


@cache
def _ask_torch(environment: tuple[tuple[str, str], ...]) -> Devices:
    command = [sys.executable, "-c", ASK]
    asked = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if asked.returncode:
        return Devices(CPU, 0, (asked.stderr.strip().splitlines() or [""])[-1])
    kind, number = asked.stdout.split()[-2:]
    return Devices(kind, int(number))


def find_devices(environment: Mapping[str, str], *, ask: Ask = ask_torch) -> Devices:
    """Return the devices to train on: those that the environment names, else all that torch sees.

    A variable that is empty or -1, with no other that names devices, means the CPU. Raises: UserError: devices are
    named and torch does not see them, which would be a training on the CPU.
    """
    named = {kind: names for kind, variable in VISIBLE.items() if (names := named_devices(environment.get(variable)))}
    if not named and _are_set(environment):
        return Devices(CPU, 0)
    seen = ask(environment)
    if not named:
        return seen
    kind = seen.kind if seen.kind in named else next(iter(named))
    number = seen.number if seen.kind == kind else 0
    if number < len(named[kind]):
        raise UserError(
            f"names {','.join(named[kind])}, but torch sees {number or 'no such device'}",
            f"environment variable {VISIBLE[kind]}",
            f"{seen.fault or WHY_NOT_SEEN[kind]}; an empty value means the CPU",
        )
    return Devices(kind, len(named[kind]))


def named_devices(value: str | None) -> list[str]:
    """Return the devices that a variable names, as the runtimes read it: nothing after an empty or negative one."""
    listed = [part.strip() for part in (value or "").split(",")]
    end = next((i for i, part in enumerate(listed) if not part or part.startswith("-")), len(listed))
    return listed[:end]


def device_variables(environment: Mapping[str, str], kind: str, *, processes: int) -> dict[str, str]:
    """Return what to set in the environment of the training's processes, so that each finds its device alone."""
    if kind == CPU:
        # One variable that says CPU hides the devices of the other kind too.
        return {v: environment.get(v, "") for v in VISIBLE.values()} if _are_set(environment) else {}
    if kind not in VISIBLE:
        return {}
    changed = {}
    if ALLOCATOR[kind] not in environment and "PYTORCH_ALLOC_CONF" not in environment:
        changed[ALLOCATOR[kind]] = EXPANDABLE
    if processes == 1:
        # transformers' Trainer turns one process with several devices into DataParallel.
        first, *_ = named_devices(environment.get(VISIBLE[kind])) or ["0"]
        changed[VISIBLE[kind]] = first
    return changed


def _are_set(environment: Mapping[str, str]) -> bool:
    """Return whether the environment says anything about devices, if only that there shall be none."""
    return any(variable in environment for variable in VISIBLE.values())
