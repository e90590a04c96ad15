"""The command `filter` on recorded answers: rows per second, what a second core gives, and memory by the row.

`python -m tests.bench filtering --traces traces.jsonl --problems test.jsonl` takes real answers, repeated with changed
numbers, and keeps them apart from real questions. `python -m tests.bench.filtering 1000000` measures memory alone.
"""

import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.command import Row
from tests.support.recorded_set import peak_mib, recorded_row, workers_of

ROWS = 100_000
"""For speed."""
MANY = 1_000_000
"""For memory, and twice as many: short rows, since no row stays in memory."""
SCREENS: dict[str, dict[str, object]] = {
    "defaults": {},
    "all screens": {
        "refusals": "drop",
        "think_closed": True,
        "min_reasoning_chars": 10,
        "max_completion_tokens": 8192,
        "language": "en",
        "max_repetition": 0.2,
        "pass_rate": [0, 1],
        "duplicates": "drop",
        "near_duplicates": 0.75,
        "max_kept_per_problem": 2,
        "prefer": "diverse",
    },
}
DIGITS = re.compile(r"\d")


class Found(NamedTuple):
    """One run of the command."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    """Of all its processes together."""


def measure(traces: Path | None, problems: Path | None) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, screens in SCREENS.items():
            write(Path(folder), repeated(traces, ROWS), exam(problems), screens)
            one = run(Path(folder), processes=1)
            against = f"{ROWS / one.wall_s:,.0f} by the clock, reading, checks and start included"
            rows.append(Row(f"filter, {name}: rows per second of CPU", ROWS / one.cpu_s, "per second", against))
            if (os.cpu_count() or 1) > 1:
                two = run(Path(folder), processes=2)
                against = f"wall clock of one process over that of two; load {os.getloadavg()[0]:.1f}"
                rows.append(Row(f"filter, {name}: two cores", one.wall_s / two.wall_s, "x", against))
    return [*rows, memory(MANY)]


def memory(count: int) -> Row:
    """Return the growth of the memory from `count` rows to twice as many."""
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in (count, 2 * count):
            write(Path(folder), map(short_row, range(rows)), exam(None), {})
            peaks.append(run(Path(folder), processes=2).peak_mib)
    slope = (peaks[1] - peaks[0]) / count * 10_000
    at_ten_million = peaks[1] + slope * (10_000_000 - 2 * count) / 10_000
    against = f"{peaks[0]:.0f} MiB at {count:,} rows, {peaks[1]:.0f} at twice; {at_ten_million:,.0f} at 10,000,000"
    return Row("filter: memory of all processes", slope, "MiB/10,000", against)


def repeated(traces: Path | None, count: int) -> Iterator[dict[str, str]]:
    """Yield rows; real ones again and again, in each round with its digits exchanged for others throughout a row."""
    if traces is None:
        rng = random.Random(7)
        yield from (recorded_row(number, rng) for number in range(count))
        return
    rows = [json.loads(line) for line in traces.read_text().splitlines()]
    for number in range(count):
        turn, place = divmod(number, len(rows))
        row, rng = rows[place], random.Random(turn)
        digits = "".join(rng.sample("0123456789", 10)) if turn else "0123456789"
        found = {key: exchanged(str(row[key]), digits) for key in ("question", "gold", "reasoning", "answer")}
        yield {"id": f"{place}-{turn}", **found, "question": f"{found['question']} ({turn})"}


def exchanged(text: str, digits: str) -> str:
    return DIGITS.sub(lambda found: digits[int(found[0])], text)


def short_row(number: int) -> dict[str, str]:
    said = {"question": f"What is {number} + 7?", "reasoning": f"{number} and 7.", "answer": f"**{number + 7}**"}
    return {"id": f"p{number}", "gold": str(number + 7), **said}


def exam(problems: Path | None) -> list[dict[str, str]]:
    """Return the questions of an evaluation."""
    if problems is None:
        rng = random.Random(1)
        return [{"question": recorded_row(n, rng)["reasoning"][:250], "answer": "1"} for n in range(1319)]
    rows = [json.loads(line) for line in problems.read_text().splitlines()]
    return [{"question": row["question"], "answer": "1"} for row in rows]


def write(folder: Path, rows: Iterator[dict[str, str]], questions: list[dict[str, str]], screens: object) -> None:
    for name, written in (("t.jsonl", rows), ("exam.jsonl", questions)):
        with (folder / name).open("w") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in written)
    recipe = {
        "name": "r",
        "problems": {"dataset": "t.jsonl"},
        "student": {"kind": "demo"},
        "filter": screens,
        "evaluate": {"tasks": ["exam.jsonl"]},
    }
    (folder / "r.yaml").write_text(json.dumps(recipe))


def run(folder: Path, *, processes: int) -> Found:
    """Run the command anew."""
    options = ["--redo", "filter", "--set", f"filter.processes={processes}"]
    command = [sys.executable, "-m", "cotdistill", "filter", "r.yaml", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in map(os.path.abspath, sys.path))}
    before, started, peaks = cpu_s(), time.monotonic(), dict[int, float]()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            for pid in (process.pid, *workers_of(process.pid)):
                try:
                    peaks[pid] = peak_mib(pid)
                except (OSError, ValueError):
                    continue  # it has just ended
            time.sleep(0.05)
    assert process.returncode == 0
    own = peaks.pop(process.pid)
    most = sum(sorted(peaks.values(), reverse=True)[:processes])
    return Found(time.monotonic() - started, cpu_s() - before, own + most)


def cpu_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    found = memory(int(sys.argv[1]))
    print(f"{found.name}: {found.value:.3g} {found.unit} ({found.against})")
