"""The commands of a training, to be pasted."""

import shlex
import subprocess

import pytest

from cotdistill.nodes.cluster import read_cluster
from cotdistill.training.launch.dry_run import node_commands, slurm_script
from cotdistill.training.launch.launch import World

ARGUMENTS = ["train", "my recipe.yaml", "--set", "train.run_name=it's"]


def test_every_nodes_command_says_which_node_it_is_and_keeps_every_argument():
    commands = node_commands(ARGUMENTS, World(8, 2, 0, "head", 29500), environment={"CUDA_VISIBLE_DEVICES": "0,1"})
    for rank, command in enumerate(commands):
        words = shlex.split(command)
        given = dict(word.split("=", 1) for word in words[words.index("env") + 1 :] if word.split("=")[0].isupper())
        assert read_cluster(given).rank == rank
        assert given["NPROC_PER_NODE"] == "8"
        assert given["CUDA_VISIBLE_DEVICES"] == "0,1"
        assert words[-4:] == ARGUMENTS
    assert "NNODES" not in node_commands(ARGUMENTS, World(8), environment={})[0]


@pytest.mark.parametrize(
    ("device", "asked"), [("cuda", "gres=gpu:8"), ("npu", "gres=npu:8"), ("cpu", "cpus-per-task=8")]
)
def test_slurms_script_asks_for_the_nodes_and_their_devices_and_is_told_to_save_in_time(device, asked):
    script = slurm_script(ARGUMENTS, World(8, 2, device=device), name="t")
    lines = script.splitlines()
    assert {f"#SBATCH --{part}" for part in ("nodes=2", "ntasks-per-node=1", "signal=TERM@120", asked)} <= set(lines)
    assert shlex.split(lines[-1])[-4:] == ARGUMENTS
    assert subprocess.run(["bash", "-n"], input=script.encode(), check=False).returncode == 0
