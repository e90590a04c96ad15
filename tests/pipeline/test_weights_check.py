"""A checkpoint that is there and cannot be asked is found by `check`, before anything is loaded."""

import pytest

from cotdistill.records import Checkpoint

RECIPE = """\
name: t
problems: {dataset: demo, limit: 12, holdout: 3}
teacher: {kind: demo}
student: {kind: demo}
train: {}
evaluate: {}
"""


@pytest.fixture
def trained(tmp_path):
    """The folder of a checkpoint of a run, whose training is finished."""
    (tmp_path / "t.yaml").write_text(RECIPE)
    folder = tmp_path / "runs" / "t" / "4-train" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')
    row = Checkpoint(path="4-train/checkpoint", fingerprint="0")
    (folder.parent / "checkpoint.jsonl").write_text(row.model_dump_json() + "\n")
    return folder


def test_a_checkpoint_without_tokenizer_is_named(call, trained):
    assert call("check", "t.yaml")[0] == 0
    (trained / "tokenizer.json").unlink()
    code, _, err = call("check", "t.yaml")
    assert code == 2
    assert "runs/t/4-train/checkpoint/tokenizer.json: is missing, and no other vocabulary is there" in err


def test_a_base_without_tokenizer_is_named_with_its_line(call, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "qwen2"}')
    (tmp_path / "t.yaml").write_text(RECIPE.replace("{kind: demo}\ntrain", "{kind: full, model: model}\ntrain"))
    code, _, err = call("check", "t.yaml")
    assert code == 2
    assert "t.yaml:4: student.model: model/tokenizer.json: is missing" in err
