"""Which checkpoint a training goes on from."""

from cotdistill.training.worker.checkpoints import mark_complete, newest_complete, prune


def _write(folder, *steps, cut_off=()):
    for step in (*steps, *cut_off):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}" / "model.safetensors").write_text("x")
    for step in steps:
        mark_complete(folder, step)


def test_the_newest_is_the_highest_step_that_is_whole(tmp_path):
    _write(tmp_path, 90, 100, cut_off=(110,))
    (tmp_path / "checkpoint-best").mkdir()
    assert newest_complete(tmp_path) == tmp_path / "checkpoint-100"


def test_without_a_whole_one_there_is_none(tmp_path):
    _write(tmp_path, cut_off=(10,))
    assert newest_complete(tmp_path) is None
    assert newest_complete(tmp_path / "nothing") is None


def test_pruning_keeps_the_newest_whole_ones_alone(tmp_path):
    _write(tmp_path, 90, 100, 110, cut_off=(80, 120))
    prune(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-110"]
