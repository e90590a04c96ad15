"""Which of how many machines this is, by what a launcher sets."""

import pytest

from cotdistill.errors import UserError
from cotdistill.nodes.cluster import Cluster, first_host, processes_here, read_cluster

HEAD = {"MASTER_ADDR": "head", "MASTER_PORT": "29500"}
STEP = {"SLURM_JOB_NODELIST": "node[07-08],login", "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Cluster()),
        ({"MASTER_PORT": "29511", "RANK": "0"}, Cluster(port=29511)),
        (HEAD | {"NNODES": "2", "NODE_RANK": "1", "RANK": "5"}, Cluster(2, 1, "head", 29500)),
        (HEAD | {"NNODES": "2", "RANK": "0"}, Cluster(2, 0, "head", 29500)),
        (
            {"PET_NNODES": "1:2", "PET_NODE_RANK": "1", "PET_MASTER_ADDR": "a", "PET_MASTER_PORT": "23456"},
            Cluster(2, 1, "a", 23456),
        ),
        (HEAD | {"WORLD_SIZE": "3", "RANK": "2"}, Cluster(3, 2, "head", 29500)),
        (HEAD | {"WORLD_SIZE": "16", "RANK": "1", "PET_NNODES": "2"}, Cluster(2, 1, "head", 29500)),
        (HEAD | {"WORLD_SIZE": "1", "RANK": "0"}, Cluster(port=29500)),
        (STEP | {"SLURM_NNODES": "2", "SLURM_NODEID": "1"}, Cluster(2, 1, "node07", 24711)),
        (
            STEP | {"SLURM_JOB_NUM_NODES": "2", "SLURM_NODEID": "0", "SLURM_NTASKS_PER_NODE": "8", "MASTER_PORT": "1"},
            Cluster(2, 0, "node07", 1),
        ),
        ({"SLURM_NNODES": "2", "NNODES": "1"}, Cluster()),
        ({"SLURM_NNODES": "1", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "a"}, Cluster()),
    ],
)
def test_every_launchers_variables_say_which_machine_this_is(environment, expected):
    assert read_cluster(environment) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"NNODES": "two"}, "environment variable NNODES: must be a whole number, not `two`"),
        (HEAD | {"NNODES": "2"}, "NNODES=2 needs NODE_RANK"),
        ({"NNODES": "2", "NODE_RANK": "0"}, "NNODES=2 needs NODE_RANK, MASTER_ADDR and MASTER_PORT"),
        ({"WORLD_SIZE": "2", "RANK": "0"}, "WORLD_SIZE=2 needs NODE_RANK, MASTER_ADDR and MASTER_PORT"),
        (HEAD | {"NODE_RANK": "1"}, "NODE_RANK=1 is none of 1 machines"),
        (HEAD | {"NNODES": "2", "NODE_RANK": "2"}, "NODE_RANK=2 is none of 2 machines"),
        ({"WORLD_SIZE": "4", "LOCAL_RANK": "0"}, "another launcher started this .*once a machine"),
        ({"SLURM_NNODES": "2", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "a,b"}, "Slurm gives 2 machines.*srun"),
        (STEP | {"SLURM_NNODES": "2", "SLURM_NODEID": "0", "SLURM_STEP_NUM_TASKS": "16"}, "several tasks on each"),
    ],
)
def test_half_a_cluster_is_refused_in_one_line(environment, message):
    with pytest.raises(UserError, match=message) as refused:
        read_cluster(environment)
    assert len(refused.value.lines()) == 1


@pytest.mark.parametrize(
    ("hosts", "first"),
    [
        ("a", "a"),
        ("a,b", "a"),
        ("n[3,5]", "n3"),
        ("n[007-009].dc,m", "n007.dc"),
        ("gpu-a[1-2]-x", "gpu-a1-x"),
        ("", ""),
    ],
)
def test_the_first_host_of_slurms_list(hosts, first):
    assert first_host(hosts) == first


@pytest.mark.parametrize(("said", "number"), [("8", 8), ("auto", None), ("", None)])
def test_processes_on_this_machine(said, number):
    assert processes_here({"PET_NPROC_PER_NODE": said}) == number
