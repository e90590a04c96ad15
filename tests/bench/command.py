"""How long the command takes to answer, beside a bare interpreter."""

import resource
import subprocess
import sys
from typing import NamedTuple

RUNS = 5


class Row(NamedTuple):
    """One measured number."""

    name: str
    value: float
    unit: str
    against: str
    """What it is compared with, measured in the same run."""


def measure() -> list[Row]:
    bare = cpu_s([sys.executable, "-c", "pass"])
    rows = []
    for arguments in (["--help"], ["kinds"], ["check", "examples/quickstart/recipe.yaml"]):
        seconds = cpu_s([sys.executable, "-m", "cotdistill", *arguments])
        name = f"cotdistill-cli {' '.join(arguments)}"
        rows.append(Row(name, seconds, "s of CPU", f"{seconds / bare:.1f} x a bare python ({bare:.3f} s)"))
    return rows


def cpu_s(command: list[str]) -> float:
    """Return the least CPU time of a few runs of a command, in seconds."""
    times = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)
