"""Rows over two real processes: each learned from once an epoch, packed or not."""

import json

import pytest

from tests.support.tiny_student import sums
from tests.support.training import start_training
from tests.support.weights import assert_same_weights

TWO_EPOCHS = {
    **{"num_train_epochs": 2, "learning_rate": 1e-2, "cutoff_len": 200, "num_processes": 2, "logging_steps": 1},
    **{"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "optim": "sgd", "max_grad_norm": 100.0},
}


def _metrics(folder):
    return [json.loads(line) for line in (folder / "4-train" / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("packing", [False, True])
def test_the_tokens_of_13_rows_on_two_processes_are_exact(tmp_path, base, student, packing):
    options = TWO_EPOCHS | {"packing": packing}
    result = start_training(tmp_path, sums(13), options, base=base, student=student)
    metrics = _metrics(tmp_path)
    assert result.steps == len(metrics) == (2 if packing else 4)
    assert metrics[-1]["tokens"] == 2 * result.supervised_tokens
    if packing:
        assert "13 rows are packed into" in (tmp_path / "run.log").read_text()
        alone = start_training(
            tmp_path / "alone",
            sums(13),
            options | {"num_processes": 1, "gradient_accumulation_steps": 4},
            base=base,
            student=student,
        )
        assert _metrics(tmp_path / "alone")[-1]["tokens"] == metrics[-1]["tokens"]
        assert_same_weights(result.checkpoint, alone.checkpoint, tolerance=2e-6)
