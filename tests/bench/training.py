"""A training step of the command beside transformers' and TRL's trainers, and its way to the first step.

All train the same small student (random weights, as many words as Qwen2.5) on the same rows in float32, one after
another with the same threads. Needs real answers and a tokenizer of the size that students have.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cotdistill.records import Conversation
from cotdistill.registry import make
from cotdistill.storage.run_folder import METRICS
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from tests.bench.command import Row
from tests.bench.tokens import conversations, write_set

ROWS, BATCH, EPOCHS = 12, 2, 2
"""The first epoch warms up, the second is measured: it holds every row once, for every trainer."""
STEPS = ROWS // BATCH
CUTOFF_LEN = 4096
SIZES = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}
"""45 M parameters, 39 M of them embeddings."""
STARTS = 3
BARE = """
import sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
AutoTokenizer.from_pretrained(sys.argv[1])
AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
"""
POLL_S = 0.01


class Spent(NamedTuple):
    """What a training of some package took."""

    name: str
    step_s: float
    """Seconds per step of the second epoch."""
    peak_mib: float
    """Most memory of its largest process."""


def measure(traces: Path | None, tokenizer: Path | None, trl: Path | None) -> list[Row]:
    if traces is None or tokenizer is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = make("students", "full", model=str(tokenizer), init="random", config=SIZES).base(folder, seed=1)
        chosen = list(itertools.islice(conversations(traces), ROWS))
        write_set(folder, chosen)
        write_rows(folder / "rows.json", chosen, base)
        ours = train_by_command(folder, base)
        others = [train_by("transformers", sys.executable, folder, base)]
        if trl is not None:
            others.append(train_by("trl", str(trl.absolute()), folder, base))
        else:
            print("TRL is not installed: --trl names the python of an environment that holds it", file=sys.stderr)
        return [*_rows(ours, others), *_to_first_step(folder, base)]


def _rows(ours: Spent, others: list[Spent]) -> list[Row]:
    rows = [
        Row("cotdistill-cli train: a step", ours.step_s, "s", f"{BATCH} of {ROWS} rows, 45 M parameters, float32"),
        Row("cotdistill-cli train: its largest process", ours.peak_mib, "MiB", ""),
    ]
    for other in others:
        times, more = other.step_s / ours.step_s, other.peak_mib / ours.peak_mib
        rows.append(Row(f"{other.name}: a step", other.step_s, "s", f"ours is {times:.2f} x as fast"))
        rows.append(Row(f"{other.name}: its process", other.peak_mib, "MiB", f"{more:.2f} x ours"))
    return rows


def write_rows(path: Path, chosen: list[Conversation], base: str) -> None:
    """Write the tokens that the command makes of the conversations."""
    rows = Encoder(load_tokenizer(base, template=None)).encode(chosen)
    path.write_text(json.dumps([{"input_ids": row.input_ids, "labels": row.labels} for row in rows]))


def _recipe(folder: Path, base: str, name: str) -> Path:
    """Write a recipe as openMind's users write it and return its path."""
    values = {"model_name_or_path": base, "stage": "sft", "do_train": True, "finetuning_type": "full"}
    values |= {"dataset": "set", "cutoff_len": CUTOFF_LEN, "output_dir": str(folder / name / "out"), "logging_steps": 1}
    values |= {"per_device_train_batch_size": BATCH, "num_train_epochs": EPOCHS, "learning_rate": 1e-5}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(values))  # JSON is YAML
    return path


def train_by_command(folder: Path, base: str) -> Spent:
    """Train with the command on `set`, the data set that stands in the folder."""
    command = [sys.executable, "-m", "cotdistill", "train", str(_recipe(folder, base, "steps"))]
    _, peak_mib = _run(command, folder)
    (metrics,) = folder.rglob(METRICS)
    ends = [json.loads(line)["seconds"] for line in metrics.read_text().splitlines()]
    assert len(ends) == EPOCHS * STEPS, ends
    return Spent("cotdistill", (ends[-1] - ends[-1 - STEPS]) / STEPS, peak_mib)


def train_by(package: str, python: str, folder: Path, base: str) -> Spent:
    """Train with another package's trainer on the folder's rows.json."""
    script = Path(__file__).with_name("other_trainers.py")
    rows = str(folder / "rows.json")
    output, peak_mib = _run([python, str(script), package, rows, base, str(BATCH), str(EPOCHS)], folder)
    found = json.loads(output.splitlines()[-1])
    assert len(found["seconds"]) == EPOCHS * STEPS, found
    return Spent(f"{package} {found['version']}", sum(found["seconds"][-STEPS:]) / STEPS, peak_mib)


def _run(command: list[str], folder: Path) -> tuple[str, float]:
    """Return what a command prints, and the most memory in MiB that it or a process that it started had."""
    with (folder / "output").open("w+") as output:
        child = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=output)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        output.seek(0)
        return output.read(), used.ru_maxrss / 1024


def _environment() -> dict[str, str]:
    """Return the threads that the command gives its own worker, for all."""
    here = {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    return os.environ | here | {"OMP_NUM_THREADS": str(os.cpu_count()), "GOMP_SPINCOUNT": "1000"}


def _to_first_step(folder: Path, base: str) -> list[Row]:
    """Return the time to the first step beside that of what nobody can leave out, each the least of a few in turn."""
    ours, bare = [], []
    for start in range(STARTS):
        bare.append(_seconds_of([sys.executable, "-c", BARE, base], folder))
        ours.append(_start(folder, _recipe(folder, base, f"start{start}")))
    ratio = min(ours) / min(bare)
    against = f"{ratio:.2f} x importing torch and transformers and loading model and tokenizer"
    return [
        Row("cotdistill-cli train: to its first step", min(ours), "s", against),
        Row("import and load alone", min(bare), "s", ""),
    ]


def _seconds_of(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    _run(command, folder)
    return time.perf_counter() - started


def _start(folder: Path, recipe: Path) -> float:
    """Return the seconds until a training says that its first step begins, and end it."""
    before = set(folder.rglob("progress"))
    started = time.perf_counter()
    with _running([sys.executable, "-m", "cotdistill", "train", str(recipe)], folder) as child:
        while not set(folder.rglob("progress")) - before:
            assert child.poll() is None, "it ended before its first step"
            time.sleep(POLL_S)
        return time.perf_counter() - started


@contextlib.contextmanager
def _running(command: list[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command, and end it at once with the second signal."""
    child = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL)
    try:
        yield child
    finally:
        for _ in range(2):
            child.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        child.wait()
