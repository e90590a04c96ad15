"""Machines of a test: processes of this one that meet on loopback, with one run folder for all or one each."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.tiny_student import SIZES

RECIPE = """\
name: t
seed: 7
student: {kind: full, model: %s, init: random, config: %s}
train: {dataset: general, num_processes: 1, cutoff_len: 200, learning_rate: 0.01, save_steps: 2, logging_steps: 1}
"""
LAUNCHERS = ("NNODES", "NODE_RANK", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "NPROC_PER_NODE")


def write_recipe(folder: Path, tokenizer_folder: Path) -> None:
    """Write a recipe and its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"instruction": f"Say {n}", "output": str(n) * (1 + n % 5)} for n in range(40)]
    (folder / "general.json").write_text(json.dumps(rows))
    entry = {"local_path": ".", "file_name": "general.json"}
    (folder / "dataset_info.json").write_text(json.dumps({"general": entry}))
    (folder / "t.yaml").write_text(RECIPE % (tokenizer_folder, json.dumps(SIZES)))


def free_port() -> int:
    """Return a port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, *options: str, rank: int = 0, nodes: int = 1, port: int = 0, **environment: str):
    """Start `cotdistill train` in a folder as one of several machines; its output goes to out-<rank>.txt."""
    given = {name: value for name, value in os.environ.items() if name not in LAUNCHERS}
    if nodes > 1:
        given |= {"NNODES": str(nodes), "NODE_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    given |= {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "cotdistill", "train", "t.yaml", *options]
    with (folder / f"out-{rank}.txt").open("ab") as output:
        return subprocess.Popen(
            command, cwd=folder, env=given | environment, stdout=output, stderr=output, start_new_session=True
        )


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started, the processes of their sessions too, as a machine's end does."""
    for child in _children(pid):
        kill_tree(child)
    os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
