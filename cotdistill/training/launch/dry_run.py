"""The commands that a training on several machines takes, to be pasted: one a node, and a script for Slurm."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cotdistill.training.launch.devices import CPU, VISIBLE
from cotdistill.training.launch.launch import World

SAVE_S = 120
"""Seconds before Slurm's time limit at which a training is told to save: a step, and a checkpoint of it."""
LAUNCHERS_OWN = ("NNODES", "NODE_RANK", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""Variables that sbatch would carry over from where it is called."""


def node_commands(arguments: Sequence[str], place: World, *, environment: Mapping[str, str]) -> list[str]:
    """Return a shell's command for every node, `arguments` being those of `cotdistill-cli`."""
    command = [sys.executable, "-m", "cotdistill", *arguments]
    devices = {name: environment[name] for name in VISIBLE.values() if name in environment}
    lines = []
    for rank in range(place.nodes):
        variables = {"NPROC_PER_NODE": str(place.processes)} | devices
        if place.nodes > 1:
            meeting = {"MASTER_ADDR": place.address, "MASTER_PORT": str(place.port)}
            variables |= {"NNODES": str(place.nodes), "NODE_RANK": str(rank)} | meeting
        given = [f"{name}={value}" for name, value in variables.items()]
        lines.append(f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(['env', *given, *command])}")
    return lines


def slurm_script(arguments: Sequence[str], place: World, *, name: str) -> str:
    """Return a script for sbatch: a task a node, which finds the others by Slurm's own variables."""
    asked = [f"job-name={name}", f"nodes={place.nodes}", "ntasks-per-node=1", f"signal=TERM@{SAVE_S}"]
    if place.device == CPU:
        asked.append(f"cpus-per-task={place.processes}")
    else:
        asked.append(f"gres={'gpu' if place.device == 'cuda' else place.device}:{place.processes}")
    task = ["srun", "--ntasks-per-node=1", "env", f"NPROC_PER_NODE={place.processes}"]
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH --{option}" for option in map(shlex.quote, asked)),
            f"unset {' '.join(LAUNCHERS_OWN)}",
            f"cd {shlex.quote(str(Path.cwd()))} || exit",
            shlex.join([*task, sys.executable, "-m", "cotdistill", *arguments]),
        ]
    )
