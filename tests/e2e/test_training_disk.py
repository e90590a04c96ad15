"""The disk fills up while `train` makes what it begins with: one line with the path, and the same command goes on."""

import json
import resource
import subprocess
import sys

import pytest

from tests.support.patience import HANGS_S
from tests.support.tiny_student import SIZES

ENTRY = {"sums": {"file_name": "sums.json", "formatting": "sharegpt", "columns": {"messages": "messages"}}}
ROW = {"messages": [{"from": "human", "value": "What is 1 + 7?"}, {"from": "gpt", "value": "It is 8."}]}


def no_file_above_20_kib():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 10, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_a_disk_without_room_for_the_untrained_weights_is_one_line_and_the_rerun_is_fine(tmp_path, tokenizer_folder):
    (tmp_path / "dataset_info.json").write_text(json.dumps(ENTRY))
    (tmp_path / "sums.json").write_text(json.dumps([ROW] * 4))
    recipe = {
        "name": "r",
        "student": {"kind": "full", "model": str(tokenizer_folder), "init": "random", "config": SIZES},
        "train": {"dataset": "sums", "cutoff_len": 512, "max_steps": 1},
    }
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))

    def train(before=None):
        command = [sys.executable, "-m", "cotdistill", "train", "r.yaml"]
        return subprocess.run(
            command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=HANGS_S, preexec_fn=before
        )

    full = train(no_file_above_20_kib)
    assert full.returncode == 75, full.stderr
    assert "Traceback" not in full.stderr
    last = full.stderr.strip().splitlines()[-1]
    assert last.startswith("error: runs/r/base/")
    assert "cannot be written: File too large (make space" in last
    assert train().returncode == 0
