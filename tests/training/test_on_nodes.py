"""Several machines at one training: each test's are processes that meet on loopback."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.machines import free_port, kill_tree, start, write_recipe
from tests.support.patience import HANGS_S, wait_for
from tests.support.sweep import whole
from tests.support.weights import assert_same_weights

ZERO_2 = "train.deepspeed=" + str(Path("examples/deepspeed/ds_z2_config.json").resolve())
TRAIN = "runs/t/4-train"


def _options(deepspeed, *, steps=24):
    given = [f"train.max_steps={steps}", *([ZERO_2] if deepspeed else [])]
    return [part for option in given for part in ("--set", option)]


def _is_at(folder, step):
    return any(folder.glob(f"{TRAIN}/work/*/resume/checkpoint-{step}/COMPLETE.json"))


@pytest.fixture
def machines(tmp_path, tokenizer_folder):
    """Start two machines: `machines(shared=True, options=…)` gives processes and folders."""

    def begin(name, *, shared, options, **environment):
        folders = [tmp_path / name if shared else tmp_path / f"{name}-{rank}" for rank in (0, 1)]
        for folder in folders:
            write_recipe(folder, tokenizer_folder)
        port = free_port()
        return [
            start(folder, *options, rank=rank, nodes=2, port=port, **environment) for rank, folder in enumerate(folders)
        ], folders

    return begin


def _said(folders):
    return "\n".join((folder / f"out-{rank}.txt").read_text() for rank, folder in enumerate(folders))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shared", "deepspeed"),
    [
        pytest.param(True, False, id="shared, plain"),
        pytest.param(False, True, id="own, ZeRO-2"),
        whole(True, True, id="shared, ZeRO-2"),
        whole(False, False, id="own, plain"),
    ],
)
def test_two_machines_one_of_them_killed_learn_what_one_with_two_processes_learns(
    machines, tmp_path, tokenizer_folder, shared, deepspeed
):
    options = _options(deepspeed)
    write_recipe(tmp_path / "one", tokenizer_folder)
    alone = start(tmp_path / "one", *options, "--set", "train.num_processes=2")
    assert alone.wait(HANGS_S) == 0, (tmp_path / "one" / "out-0.txt").read_text()
    nodes, folders = machines("two", shared=shared, options=options)
    wait_for(lambda: _is_at(folders[-1], 4), nodes[0])
    kill_tree(nodes[1].pid)
    nodes[1].wait(HANGS_S)
    assert nodes[0].wait(HANGS_S) == 75, _said(folders)
    assert "node 1 is gone" in _said(folders)
    nodes, folders = machines("two", shared=shared, options=options)
    assert [node.wait(HANGS_S) for node in nodes] == [0, 0], _said(folders)
    log = (folders[0] / "runs/t/run.log").read_text()
    assert "/resume/checkpoint-" in log
    assert_same_weights(
        tmp_path / "one" / TRAIN / "checkpoint", folders[0] / TRAIN / "checkpoint", tolerance=0, relative=0
    )
    assert (folders[1] / TRAIN / "checkpoint").exists() is shared
    assert not (folders[1] / TRAIN / "work").exists()
    assert not list(folders[1].glob(f"{TRAIN}/*.partial"))


@pytest.mark.slow
def test_nodes_that_differ_are_refused_on_both_with_the_difference_before_a_model_is_loaded(tmp_path, tokenizer_folder):
    port, folders = free_port(), [tmp_path / "0", tmp_path / "1"]
    for folder in folders:
        write_recipe(folder, tokenizer_folder)
    nodes = [
        start(folder, "--set", f"train.learning_rate={rate}", rank=rank, nodes=2, port=port)
        for rank, (folder, rate) in enumerate(zip(folders, (0.01, 0.02), strict=True))
    ]
    assert [node.wait(HANGS_S) for node in nodes] == [2, 2], _said(folders)
    assert _said(folders).count("train.learning_rate differs: 0.01 on node 0, 0.02 on node 1") == 2


@pytest.mark.slow
def test_a_term_on_one_machine_saves_and_stops_both(machines):
    nodes, folders = machines("two", shared=False, options=_options(deepspeed=False, steps=5000))
    wait_for(lambda: all(_is_at(folder, 2) for folder in folders), nodes[0])
    nodes[1].terminate()
    assert [node.wait(HANGS_S) for node in nodes] == [143, 143], _said(folders)
    steps = [{path.parent.name for path in folder.glob(f"{TRAIN}/work/*/resume/*/COMPLETE.json")} for folder in folders]
    assert steps[0] == steps[1]


@pytest.mark.slow
def test_the_commands_of_a_dry_run_when_pasted_train_on_both_nodes(tmp_path, tokenizer_folder, monkeypatch):
    write_recipe(tmp_path, tokenizer_folder)
    dry = start(tmp_path, *_options(deepspeed=False, steps=2), "--dry-run", "--json", nodes=2, port=free_port())
    assert dry.wait(HANGS_S) == 0
    commands = json.loads((tmp_path / "out-0.txt").read_text())["nodes"]
    assert not (tmp_path / "runs").exists(), "something was started"
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    nodes = [subprocess.Popen(["bash", "-c", command]) for command in commands]
    assert [node.wait(HANGS_S) for node in nodes] == [0, 0]
    assert (tmp_path / TRAIN / "checkpoint" / "model.safetensors").exists()
