"""A job for the training worker."""

import pytest

from cotdistill.training.job import Job
from cotdistill.training.prepare.tokenfile import write_rows
from cotdistill.training.prepare.tokens import Encoder
from tests.support.tiny_student import sums

ARGUMENTS = {"max_steps": 1, "optim": "sgd", "learning_rate": 1.0, "max_grad_norm": 100.0, "logging_steps": 1}


@pytest.fixture
def job(tmp_path, base, student, tokenizer):
    """A job whose rows have many lengths: `job(arguments…)`."""

    def make(name="a", **arguments) -> Job:
        work = tmp_path / name
        (work / "tokens").mkdir(parents=True)
        write_rows(Encoder(tokenizer).encode(sums(12)), work / "tokens")
        tokenizer.save_pretrained(work / "tokenizer")
        return Job(
            key=name,
            base=base,
            student=student.model_dump(),
            loss={"kind": "sft"},
            work=work,
            output=work / "checkpoint",
            metrics=work / "metrics.jsonl",
            stop_ids=[2, 0],
            pad_id=2,
            seed=5,
            keep_checkpoints=0,
            arguments=ARGUMENTS | {"lr_scheduler_type": "constant"} | arguments,
        )

    return make
