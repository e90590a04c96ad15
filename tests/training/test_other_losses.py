"""A loss of another package, chosen in the recipe and asked in the training processes."""

import json
import os
import subprocess
import sys

import pytest

from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from tests.support.tiny_student import SIZES, sums

NOTED = """
import json, os, pathlib
from cotdistill.losses import IGNORED
from cotdistill.losses.sft import sft
from cotdistill.registry import kind

@kind
def noted(batch, /, *, folder: str):
    "As sft, with a note of what it is given."
    learned = batch.labels_BT != IGNORED
    counts = [int((learned & (batch.row_BT == row)).sum()) for row in range(len(batch.ids))]
    note = [list(batch.ids), counts, batch.hidden_BTD.shape[-1]]
    with (pathlib.Path(folder) / os.environ.get("RANK", "0")).open("a") as file:
        file.write(json.dumps(note) + chr(10))
    return sft(batch)
"""
SCRIPT = """
import json, pathlib, sys
from tests.support.tiny_student import student_options, sums
from tests.support.training import start_training
tokenizer, base, folder, options = sys.argv[1:]
student = student_options(pathlib.Path(tokenizer))
start_training(pathlib.Path(folder), sums(16), json.loads(options), base=base, student=student)
"""


@pytest.mark.slow
@pytest.mark.parametrize("deepspeed", [None, "examples/deepspeed/ds_z3_config.json"])
def test_it_is_given_hidden_states_and_the_ids_of_its_rows(tmp_path, tokenizer_folder, base, deepspeed):
    """Two processes share 16 rows in each of two steps; every row comes with its own id and its own labels."""
    package, notes = tmp_path / "package", tmp_path / "notes"
    (package / "noted-1.dist-info").mkdir(parents=True)
    notes.mkdir()
    (package / "noted-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: noted\nVersion: 1\n")
    (package / "noted-1.dist-info" / "entry_points.txt").write_text("[cotdistill.losses]\nnoted = noted:noted\n")
    (package / "noted.py").write_text(NOTED)
    options = {"loss": {"kind": "noted", "folder": str(notes)}, "deepspeed": deepspeed, "num_processes": 2}
    options |= {"max_steps": 2, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tokenizer_folder), base, str(tmp_path), json.dumps(options)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(package), *filter(None, sys.path)])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = Encoder(load_tokenizer(base, template=None)).encode(sums(16))
    supervised = {row.id: row.supervised_tokens for row in rows}
    found = []
    for rank in ("0", "1"):
        given = [json.loads(line) for line in (notes / rank).read_text().splitlines()]
        assert len(given) == 4, "no call but those of the micro-steps"
        assert {width for _, _, width in given} == {SIZES["hidden_size"]}
        for ids, counts, _ in given:
            assert counts == [supervised[name] for name in ids]
            found += ids
    assert sorted(found) == sorted([*supervised] * 2), "each step has every row once"
