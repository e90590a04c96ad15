"""A run that goes on with many answers stored: time until it asks again, until its rows are written, and its memory.

The answers are those of DeepSeek-R1's usual length, 2 KB; the last 100 are missing. A first start, which reads the
problems, is killed (-9) at its first answer; a second one finds them read, and ends. Time is that of the clock, on an
idle machine; beside it stands the CPU time of all processes of the command.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cotdistill.records import Message, Sampling
from cotdistill.storage.keys import completion_key
from cotdistill.storage.ledger import LedgerEntry
from cotdistill.storage.ledger_line import ledger_line
from tests.bench.command import Row
from tests.bench.sampling import serving
from tests.support.peak_memory import PeakMemory

RECORDS = 200_000
MISSING = 100
TEXT = "She walks on and counts the clips: 48 / 2 = 24, so in May she sold 24 clips. " * 24
TICKS_PER_S = 100
"""Of the times in /proc/<pid>/stat."""


def measure(records: int = RECORDS) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, serving("--latency", "0.1", "--events", "20") as url:
        folder = Path(name)
        ledger = write_run(folder, url, records)
        stored = f"{records:,} answers are stored, {ledger.stat().st_size >> 20} MiB"
        before = start(folder, ledger, ends_at_first=True)
        found = start(folder, ledger)
    said = f"{stored}; {{:.1f}} s of CPU".format
    yield Row("a run that goes on, its problems read anew: first answer", before.first_s, "s", said(before.first_cpu_s))
    yield Row("a run that goes on: first answer", found.first_s, "s", said(found.first_cpu_s))
    left_s, left_cpu_s = found.whole_s - found.first_s, found.whole_cpu_s - found.first_cpu_s
    yield Row("a run that goes on: from there to its rows", left_s, "s", said(left_cpu_s))
    yield Row("a run that goes on: memory at its peak", found.peak_mib, "MiB", stored)


class Start(NamedTuple):
    """What one start took until its first new answer, and until its end."""

    first_s: float
    first_cpu_s: float
    whole_s: float
    whole_cpu_s: float
    peak_mib: float


def start(folder: Path, ledger: Path, *, ends_at_first: bool = False) -> Start:
    """Run the command to its end, or kill it at its first answer."""
    size = ledger.stat().st_size
    command = [sys.executable, "-m", "cotdistill", "sample", "r.yaml", "--no-probe"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = PeakMemory(process.pid)
    started = time.monotonic()
    spent, first_spent, first = 0.0, 0.0, 0.0
    while process.poll() is None:
        spent = cpu_s(process.pid) or spent
        if not first and ledger.stat().st_size > size:
            first_spent, first = spent, time.monotonic() - started
            if ends_at_first:
                process.kill()
        time.sleep(0.02)
    whole = time.monotonic() - started
    if process.returncode and not (ends_at_first and first):
        raise SystemExit(f"sample ended with {process.returncode}")
    return Start(first, first_spent, whole, spent, peak.kib() / 1024)


def write_run(folder: Path, url: str, records: int) -> Path:
    """Write recipe, problems and a ledger that lacks the last answers; return the ledger."""
    recipe = {
        "name": "r",
        "problems": {"dataset": "p.jsonl"},
        "teacher": {"kind": "endpoint", "base_url": url, "model": "r1"},
        "sample": {"max_tokens": 8192, "seed": 1},
    }
    (folder / "r.yaml").write_text(json.dumps(recipe))
    ledger = folder / "runs" / "r" / "1-sample" / "completions.jsonl"
    ledger.parent.mkdir(parents=True)
    sampling = Sampling(max_tokens=8192, seed=1)
    message = {"role": "assistant", "reasoning_content": TEXT, "content": "It is **72**."}
    response = {
        "model": "r1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 500},
    }
    with (folder / "p.jsonl").open("w") as problems, ledger.open("wb") as stored:
        for number in range(records):
            question = f"Question {number}?"
            problems.write(json.dumps({"id": f"p{number}", "question": question, "gold": "72"}) + "\n")
            if number < records - MISSING:
                key = completion_key("r1", (Message(role="user", content=question),), sampling)
                stored.write(ledger_line(LedgerEntry(key=key, index=0, problem_id=f"p{number}", response=response)))
    return ledger


def cpu_s(pid: int) -> float:
    """Return the CPU seconds so far of a process and those that it started; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S
    return own + sum(cpu_s(int(child)) for child in children)
