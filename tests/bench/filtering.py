"""The filter stage on long traces with every screen set: rows per second, and what it holds in memory."""

import itertools
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cotdistill.data.task import Task
from cotdistill.records import Completion, Problem, Trace, Usage
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.filter import FilterOptions
from tests.bench.command import Row

ROWS = 8_000
"""`python -m tests.bench.filtering 100000` measures more."""
SAMPLES = 4
DEFAULTS = FilterOptions()
ALL = FilterOptions(
    refusals="drop",
    think_closed=True,
    min_reasoning_chars=10,
    max_completion_tokens=8192,
    language="en",
    max_repetition=0.2,
    pass_rate=(0.0, 1.0),
    duplicates="drop",
    near_duplicates=0.9,
    max_kept_per_problem=2,
    prefer="diverse",
)
STEMS = ("add", "take", "count", "share", "price", "hour", "apple", "train", "river", "market", "garden", "letter")
VOCABULARY = [stem + ending for stem in STEMS for ending in ("", "s", "ed", "ing", "er", "able", "ment")]


def measure() -> list[Row]:
    """Measure in a process of its own: the peak of the memory is a process's."""
    rows = []
    for name in ("defaults", "all screens"):
        command = [sys.executable, "-m", "tests.bench.filtering", str(ROWS), name]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        speed, peak, growth = map(float, found.stdout.split())
        against = f"peak {peak:.0f} MiB, of it {growth:.1f} MiB for each 10,000 rows"
        rows.append(Row(f"filter, {name}: traces of 5 KB", speed, "per second", against))
    return rows


def traces(count: int) -> Iterator[Trace]:
    """Yield traces of about 5 KB, SAMPLES of each problem, a quarter of them wrong."""
    rng = random.Random(7)
    for n in range(count):
        problem, index = divmod(n, SAMPLES)
        words = random.Random(problem)
        question = f"Problem {problem}: " + " ".join(words.choices(VOCABULARY, k=40)) + "?"
        reasoning = " ".join(rng.choices(VOCABULARY, k=600))
        answer = " ".join(rng.choices(VOCABULARY, k=130)) + f"\n\n**Answer: {problem + (rng.random() < 0.25)}**"
        yield Trace(
            problem=Problem(id=f"p{problem}", question=question, gold=str(problem)),
            completion=Completion(
                key="k", index=index, text=answer, reasoning=reasoning, usage=Usage(completion_tokens=1000)
            ),
        )


def benchmark() -> list[Problem]:
    words = random.Random(1)
    return [Problem(id=f"e{n}", question=" ".join(words.choices(VOCABULARY, k=45))) for n in range(1319)]


def filtered(count: int, options: FilterOptions) -> tuple[float, float]:
    """Return seconds of CPU, the making of the traces included, and the memory held at the last row, in MiB."""
    verifier, tasks = make("verifiers", "numeric"), {"holdout": Task("holdout", tuple(benchmark()))}
    with tempfile.TemporaryDirectory() as folder:
        work = Workspace(Path(folder), Path(folder), 1)
        started = time.process_time()
        rows = stages()["filter"].function(traces(count), options, work, verifier=verifier, tasks=tasks)
        for _ in itertools.islice(rows, count - 1):
            pass
        held_mib = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
        assert sum(1 for _ in rows) == 1
        return time.process_time() - started, held_mib


def main(count: int, options: FilterOptions) -> None:
    _, before_mib = filtered(count // 10, options)
    seconds, after_mib = filtered(count, options)
    started = time.process_time()
    for _ in traces(count):
        pass
    making = time.process_time() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(count / (seconds - making), peak_mib, (after_mib - before_mib) / (count - count // 10) * 10_000)


if __name__ == "__main__":
    main(int(sys.argv[1]), DEFAULTS if sys.argv[2:] == ["defaults"] else ALL)
