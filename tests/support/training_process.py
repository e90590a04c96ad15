"""A training in a process of its own that tests kill, two workers under ZeRO-2:

python -m tests.support.training_process TOKENIZER BASE FOLDER STEPS
"""

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cotdistill.errors import Interrupted, UserError
from tests.support.patience import wait_for
from tests.support.tiny_student import student_options, sums
from tests.support.training import start_training

SAVED_EACH = 20
"""Steps between two checkpoints."""
OPTIONS = {
    "learning_rate": 1e-2,
    "logging_steps": SAVED_EACH,
    "save_steps": SAVED_EACH,
    "num_processes": 2,
    "deepspeed": "examples/deepspeed/ds_z2_config.json",
}
WORKER, TORCHRUN = "cotdistill.training.worker.process", "cotdistill.training.launch.torchrun"


@dataclass(frozen=True)
class TrainingProcess:
    """The command of one folder; started as often as a test likes."""

    tokenizer: Path
    base: str
    folder: Path
    steps: int = 120

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it."""
        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.support.training_process"]
        return subprocess.Popen([*command, str(self.tokenizer), self.base, str(self.folder), str(self.steps)])

    @property
    def stage(self) -> Path:
        """The stage's folder."""
        return self.folder / "4-train"

    @property
    def log(self) -> str:
        """What the run has said so far."""
        return (self.folder / "run.log").read_text()

    @property
    def step(self) -> int:
        """The last step that it told, 0 before the first."""
        told = next(self.stage.glob("work/*/progress"), None)
        return int(told.read_text().split()[0]) if told else 0

    @property
    def resumed_at(self) -> list[int]:
        """The step that each start went on from, 0 for the beginning."""
        found = re.findall(r"training on \d+ rows, from (?:the (start)|\S+checkpoint-(\d+))", self.log)
        return [int(step or 0) for _, step in found]

    def is_saved(self, step: int) -> bool:
        """Return whether the checkpoint of a step is whole."""
        return any(self.stage.glob(f"work/*/resume/checkpoint-{step}/COMPLETE.json"))

    def wait_until_saved(self, process: "subprocess.Popen[bytes]", step: int) -> None:
        """Wait for the checkpoint of a step."""
        wait_for(lambda: self.is_saved(step), process)

    def processes(self, module: str) -> dict[int, int]:
        """Return rank -> process id of those that run a module for this folder; torchrun counts as rank 0."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().decode()
                environment = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if f"\0{module}\0" in command and str(self.folder) in command:
                rank = next((text.removeprefix("RANK=") for text in environment if text.startswith("RANK=")), "0")
                found[int(rank)] = int(process.name)
        return found

    def check_workers_end(self) -> None:
        """Wait until no worker is left."""
        wait_for(lambda: not self.processes(WORKER))


def main(tokenizer: str, base: str, folder: str, steps: str) -> int:
    """Train and return the exit code that the command has."""
    options = OPTIONS | {"max_steps": int(steps)}
    try:
        start_training(Path(folder), sums(50), options, base=base, student=student_options(Path(tokenizer)))
    except (UserError, Interrupted) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:  # as the command does, while it makes the rows
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
