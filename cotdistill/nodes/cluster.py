"""Which of how many machines this is, by the variables of torchrun, of Kubeflow's PyTorchJob or of Slurm.

torchrun     NNODES=2 NODE_RANK=1 MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 (RANK where there is no NODE_RANK)
PyTorchJob   PET_NNODES=2 PET_NODE_RANK=1 …, or WORLD_SIZE=2 RANK=1: processes of its own are machines here
Slurm        SLURM_NNODES=2 SLURM_NODEID=1 SLURM_JOB_NODELIST=node[07-08] SLURM_JOB_ID=4711, under srun
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cotdistill.errors import UserError

Environment = Mapping[str, str]

NAMES = {
    "NNODES": ("NNODES", "PET_NNODES"),
    "NODE_RANK": ("NODE_RANK", "PET_NODE_RANK", "RANK"),
    "MASTER_ADDR": ("MASTER_ADDR", "PET_MASTER_ADDR"),
    "MASTER_PORT": ("MASTER_PORT", "PET_MASTER_PORT"),
    "NPROC_PER_NODE": ("NPROC_PER_NODE", "PET_NPROC_PER_NODE"),
}
"""What is asked for -> the variables that may say it; the first that is set counts."""
BY_DEVICES = ("auto", "gpu", "cpu")
"""Words of torchrun for one process per device."""
PORTS = range(20_000, 30_000)
"""Where Slurm's jobs meet, each at a port by its number: two on one machine do not get in each other's way."""


@dataclass(frozen=True)
class Cluster:
    """The machines of a training; each is a node and runs the same command."""

    nodes: int = 1
    rank: int = 0
    """Number of this node, from 0."""
    address: str = "127.0.0.1"
    """Of node 0."""
    port: int = 0
    """At which node 0 is met; 0: any free one."""


def read_cluster(environment: Environment) -> Cluster:
    """Return the machines that the environment names. Raises: UserError where it names them by half."""
    if "LOCAL_RANK" in environment and environment.get("WORLD_SIZE", "1") != "1":
        raise UserError("LOCAL_RANK is set: another launcher started this", "environment", _once_a_machine())
    name, text = _said(environment, "NNODES")
    if not text and not (environment.get("NODE_RANK") or environment.get("PET_NODE_RANK")):
        if (environment.get("WORLD_SIZE") or "1") != "1":
            name, text = "WORLD_SIZE", environment["WORLD_SIZE"]
        elif _number(environment, "SLURM_JOB_NUM_NODES") or _number(environment, "SLURM_NNODES"):
            return _read_slurm(environment)
    text = text.rpartition(":")[2]  # torchrun's `1:2` is at most two
    nodes = _whole(name, text) or 1
    rank_name, rank_text = _said(environment, "NODE_RANK")
    rank = _whole(rank_name, rank_text)
    port = _whole(*_said(environment, "MASTER_PORT"))
    if rank is not None and rank >= nodes:
        raise UserError(f"{rank_name}={rank} is none of {nodes} machines", "environment", "NNODES says how many")
    if nodes == 1:
        return Cluster(port=port or 0)
    address = _said(environment, "MASTER_ADDR")[1]
    if rank is None or not address or not port:
        raise UserError(f"{name}={nodes} needs NODE_RANK, MASTER_ADDR and MASTER_PORT", "environment")
    return Cluster(nodes, rank, address, port)


def processes_here(environment: Environment) -> int | None:
    """Return how many processes the launcher wants on this machine; None: one per device. Raises: UserError."""
    name, text = _said(environment, "NPROC_PER_NODE")
    return None if text in BY_DEVICES else _whole(name, text)


def _read_slurm(environment: Environment) -> Cluster:
    """Return the nodes of a job step; SLURM_NTASKS_PER_NODE counts tasks, which are no processes of ours."""
    nodes = (
        _number(environment, "SLURM_STEP_NUM_NODES")
        or _number(environment, "SLURM_NNODES")
        or _number(environment, "SLURM_JOB_NUM_NODES")
        or 1
    )
    if nodes == 1:
        return Cluster(port=_number(environment, "MASTER_PORT") or 0)
    rank = _number(environment, "SLURM_NODEID")
    hosts = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    address = environment.get("MASTER_ADDR") or first_host(hosts)
    if not environment.get("SLURM_STEP_ID") or rank is None or not address:
        raise UserError(
            f"Slurm gives {nodes} machines, and this runs on one", "environment", f"{_once_a_machine()}; or NNODES=1"
        )
    if (_number(environment, "SLURM_STEP_NUM_TASKS") or nodes) != nodes:
        raise UserError(f"Slurm starts several tasks on each of {nodes} machines", "environment", _once_a_machine())
    job = _number(environment, "SLURM_JOB_ID") or 0
    return Cluster(nodes, rank, address, _number(environment, "MASTER_PORT") or PORTS[job % len(PORTS)])


def first_host(hosts: str) -> str:
    """Return the first of Slurm's list of hosts: `node[07-08,11],login` gives node07."""
    found = re.match(r"([^\[,]*)(?:\[([^\],-]+)[^\]]*\]([^,]*))?", hosts)
    return "".join(part or "" for part in found.groups()) if found else ""


def _once_a_machine() -> str:
    return "start cotdistill-cli itself, once a machine: `srun --ntasks-per-node=1` under Slurm"


def _said(environment: Environment, what: str) -> tuple[str, str]:
    """Return the variable that says it and its value; the usual name and nothing where none does."""
    return next(((name, environment[name]) for name in NAMES[what] if environment.get(name)), (NAMES[what][0], ""))


def _number(environment: Environment, name: str) -> int | None:
    return _whole(name, environment.get(name, ""))


def _whole(name: str, text: str) -> int | None:
    if text and not text.isdecimal():
        raise UserError(f"must be a whole number, not `{text}`", f"environment variable {name}")
    return int(text) if text else None
