"""Which checkpoint a training goes on from."""

import json
import logging

import pytest

from cotdistill.training.worker.checkpoints import COMPLETE, find_fault, mark_complete, newest_whole, prune

JOB = {"key": "9c", "world_size": 2}


def _write(folder, *steps, cut_off=()):
    for step in (*steps, *cut_off):
        (folder / f"checkpoint-{step}" / "global_step").mkdir(parents=True)
        (folder / f"checkpoint-{step}" / "model.safetensors").write_text("weights")
        (folder / f"checkpoint-{step}" / "global_step" / "rank_0.pt").write_text("optimiser")
    for step in steps:
        mark_complete(folder, step, **JOB)


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _add(path):
    path.with_name("pytorch_model.bin").write_text("other weights")


def test_the_newest_is_the_highest_step_that_is_whole(tmp_path, caplog):
    _write(tmp_path, 90, 100, cut_off=(110,))
    (tmp_path / "checkpoint-best").mkdir()
    assert newest_whole(tmp_path, **JOB) == tmp_path / "checkpoint-100"
    assert "checkpoint-110 was not written to its end" in caplog.text


def test_up_to_a_step_that_another_node_has_too(tmp_path):
    _write(tmp_path, 90, 100)
    assert newest_whole(tmp_path, **JOB, up_to=99) == tmp_path / "checkpoint-90"
    assert newest_whole(tmp_path, **JOB, up_to=80) is None


def test_deepspeed_finds_its_part_on_every_node(tmp_path):
    _write(tmp_path, 90, 100)
    (tmp_path / "checkpoint-100" / "latest").write_text("as DeepSpeed wrote it")
    mark_complete(tmp_path, 100, **JOB)
    assert (tmp_path / "checkpoint-90" / "latest").read_text() == "global_step"
    assert (tmp_path / "checkpoint-100" / "latest").read_text() == "as DeepSpeed wrote it"


def test_without_a_whole_one_there_is_none(tmp_path):
    _write(tmp_path, cut_off=(10,))
    assert newest_whole(tmp_path, **JOB) is None
    assert newest_whole(tmp_path / "nothing", **JOB) is None


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        (_cut, "model.safetensors", "model.safetensors has 3 bytes instead of 7"),
        (_cut, "global_step/rank_0.pt", "global_step/rank_0.pt has 4 bytes instead of 9"),
        (_flip, "model.safetensors", "model.safetensors has another content"),
        (_flip, "global_step/rank_0.pt", "global_step/rank_0.pt has another content"),
        (lambda path: path.unlink(), "model.safetensors", "model.safetensors is missing"),
        (_add, "model.safetensors", "pytorch_model.bin was added"),
        (_cut, COMPLETE, "COMPLETE.json is damaged"),
    ],
)
def test_a_damaged_one_is_named_and_renamed_and_the_one_before_is_taken(tmp_path, caplog, damage, name, said):
    _write(tmp_path, 20, 40)
    damage(tmp_path / "checkpoint-40" / name)
    with caplog.at_level(logging.WARNING):
        assert newest_whole(tmp_path, **JOB) == tmp_path / "checkpoint-20"
    assert f"checkpoint-40/{said}; it is kept as checkpoint-40.damaged" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-20", "checkpoint-40.damaged"]


def test_every_flipped_bit_of_what_is_said_is_noticed_or_changes_nothing(tmp_path):
    _write(tmp_path, 40)
    path = tmp_path / "checkpoint-40" / COMPLETE
    before = path.read_bytes()
    for at in range(len(before)):
        path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        fault = find_fault(path.parent, **JOB)
        assert fault or json.loads(path.read_bytes()) == json.loads(before)


@pytest.mark.parametrize("other", [{"key": "8b"}, {"world_size": 4}])
def test_one_of_another_training_is_not_gone_on_from(tmp_path, other):
    _write(tmp_path, 40)
    assert newest_whole(tmp_path, **(JOB | other)) is None
    assert (tmp_path / "checkpoint-40.damaged").exists()


def test_one_that_was_moved_to_another_step_is_not_gone_on_from(tmp_path):
    _write(tmp_path, 40)
    (tmp_path / "checkpoint-40").rename(tmp_path / "checkpoint-60")
    assert newest_whole(tmp_path, **JOB) is None


def test_two_damaged_ones_of_a_step_are_both_kept(tmp_path):
    for _ in range(2):
        _write(tmp_path, 40)
        _cut(tmp_path / "checkpoint-40" / "model.safetensors")
        newest_whole(tmp_path, **JOB)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-40.damaged", "checkpoint-40.damaged-2"]


def test_a_checkpoint_written_again_is_whole_again(tmp_path):
    _write(tmp_path, 40)
    (tmp_path / "checkpoint-40" / "model.safetensors").write_text("other weights")
    mark_complete(tmp_path, 40, **JOB)
    assert find_fault(tmp_path / "checkpoint-40", **JOB) is None


def test_pruning_keeps_the_newest_whole_ones_alone(tmp_path):
    _write(tmp_path, 90, 100, 110, cut_off=(80, 120))
    prune(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-110"]
