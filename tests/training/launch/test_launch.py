"""How many processes train, where, and what becomes of them."""

import pytest

from cotdistill.training.launch.devices import Devices
from cotdistill.training.launch.launch import World, has_failed, world


@pytest.mark.parametrize(
    ("environment", "processes", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, None, World(2, device="cuda")),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, None, World(1)),
        ({}, None, World(8, device="cuda")),
        ({"CUDA_VISIBLE_DEVICES": "0,1", "NPROC_PER_NODE": "4"}, None, World(4, device="cuda")),
        ({"CUDA_VISIBLE_DEVICES": "0,1", "NPROC_PER_NODE": "4"}, 3, World(3, device="cuda")),
        ({"CUDA_VISIBLE_DEVICES": "", "MASTER_PORT": "29511", "RANK": "0"}, 1, World(1, port=29511)),
        (
            {"NNODES": "2", "NODE_RANK": "1", "RANK": "5", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"},
            8,
            World(8, 2, 1, "10.0.0.1", 29500, "cuda"),
        ),
        (
            {"NNODES": "2", "RANK": "0", "MASTER_ADDR": "head", "MASTER_PORT": "29500"},
            8,
            World(8, 2, 0, "head", 29500, "cuda"),
        ),
    ],
)
def test_the_launchers_variables_say_where(environment, processes, expected):
    assert world(environment, processes=processes, ask=lambda _: Devices("cuda", 8)) == expected


@pytest.mark.parametrize(
    ("ended_with", "is_failure"), [(None, False), (0, False), (143, False), (75, True), (1, True), (-9, True)]
)
def test_a_worker_that_fails_while_it_saves_for_a_stop_has_failed(ended_with, is_failure):
    assert has_failed(ended_with) is is_failure
