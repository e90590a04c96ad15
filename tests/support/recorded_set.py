"""A data set of recorded answers and a recipe that filters it, in a folder; the command as a process of its own."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

WORDS = ["apple", "river", "clip", "price", "hour", "train", "garden", "letter", "market", "share"]


def recorded_row(number: int, rng: random.Random) -> dict[str, str]:
    """Return a row of about 3 KB: right, wrong, or without a final answer."""
    right = number * 7 % 1000
    said = f"**Answer: {right + rng.choice([0, 0, 0, 1])}**" if rng.random() < 0.95 else "Who knows?"
    reasoning = " ".join(rng.choices(WORDS, k=400))
    return {
        "id": f"p{number}",
        "question": f"Problem {number}: what is {number} times 7 modulo 1000?",
        "gold": str(right),
        "reasoning": reasoning,
        "answer": f"{' '.join(rng.choices(WORDS, k=80))}\n\n{said}",
    }


def write_recorded_set(folder: Path, rows: int, **options: object) -> None:
    """Write t.jsonl and r.yaml, whose filter has these options."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(5)
    with (folder / "t.jsonl").open("w") as file:
        for number in range(rows):
            file.write(json.dumps(recorded_row(number, rng)) + "\n")
    recipe = {"name": "r", "problems": {"dataset": "t.jsonl"}, "filter": options}
    (folder / "r.yaml").write_text(json.dumps(recipe))


def start_filter(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command there."""
    return subprocess.Popen(
        [sys.executable, "-m", "cotdistill", "filter", "r.yaml", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def workers_of(pid: int) -> list[int]:
    """Return the worker processes of a command."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if _is_worker(child)]


def _is_worker(pid: str) -> bool:
    try:
        return b"engines._worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # it has just ended


def bytes_written(pid: int) -> int:
    """Return how much a process has written so far, to sockets too."""
    try:
        return int(Path(f"/proc/{pid}/io").read_text().split("wchar:")[1].split()[0])
    except OSError:
        return 0


def peak_mib(pid: int) -> float:
    """Return the most memory that a running process has held so far, in MiB."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
