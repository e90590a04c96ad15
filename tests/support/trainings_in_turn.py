"""Trains several jobs one after another in the same processes, as starting them takes longer than what they do.

    python -m tests.support.trainings_in_turn job.json …

or the same under torchrun. Jobs with DeepSpeed come last: it opens a process group, which then stays.
"""

import sys
from pathlib import Path

import torch
from accelerate.state import AcceleratorState

from cotdistill.training.job import Job
from cotdistill.training.worker.worker import train


def main(paths: list[str]) -> None:
    for path in paths:
        train(Job.model_validate_json(Path(path).read_bytes()))
        # accelerate keeps for the life of a process what the first training told it of devices and DeepSpeed.
        AcceleratorState._reset_state(reset_partial_state=True)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1:])
