"""The trainers of the benchmark do what they are compared for."""

import sys

import pytest

from tests.bench import training
from tests.bench.tokens import write_set
from tests.support.tiny_student import sums


@pytest.mark.slow
def test_the_command_and_the_plain_trainer_take_the_same_steps(tmp_path, base):
    rows = sums(training.ROWS)
    write_set(tmp_path, rows)
    training.write_rows(tmp_path / "rows.json", rows, base)
    ours = training.train_by_command(tmp_path, base)
    plain = training.train_by("transformers", sys.executable, tmp_path, base)
    for spent in (ours, plain):
        assert spent.step_s > 0
        assert spent.peak_mib > 50
