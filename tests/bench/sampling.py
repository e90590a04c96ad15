"""Sampling beside the ideal, a loop of threads and bespokelabs-curator: wall time, CPU time, memory.

Every client and the server run in processes of their own. Ideal wall time = requests x latency / requests in flight.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.command import Row

SHORT = ("--events", "200", "--packing", "20", "--size", "4000")
"""Answers for the wall time: what is measured there is the waiting."""
CPU_REQUESTS = 64
PROMPTS = 100_000
FIGURES = 10
"""Points of the memory's course."""


class Load(NamedTuple):
    """Latencies are as long as one process can bear at that many in flight; a teacher's are longer."""

    in_flight: int
    latency_s: float
    rounds: int

    @property
    def ideal_s(self) -> float:
        return self.latency_s * self.rounds

    @property
    def requests(self) -> int:
        return self.in_flight * self.rounds


class Spent(NamedTuple):
    """What a client printed."""

    wall_s: float
    cpu_s: float
    rss_mib: list[float]


SHORT_ANSWERS = Load(500, 1, 40)
"""20,000 of them, where our own CPU per request counts most."""
LOADS = (Load(30, 2, 8), Load(300, 5, 4), Load(1000, 15, 3))


def measure(curator: Path | None, prompts: int = PROMPTS) -> list[Row]:
    """Return every row; `curator` is the Python of an environment that holds bespokelabs-curator."""
    rows = [row for load in LOADS for row in wall(load, curator)]
    rows.append(short_answers(SHORT_ANSWERS))
    for packing in (1, 4, 25):
        rows += streamed(packing)
    return [*rows, *whole(), *memory(prompts)]


def wall(load: Load, curator: Path | None) -> Iterator[Row]:
    with serving("--latency", str(load.latency_s), *SHORT) as url:
        spent = {
            "stage sample": asked("stage", url, load.requests, load.in_flight).wall_s,
            "cotdistill-cli sample, with its start": command_s(url, load),
            f"{load.in_flight} threads, openai": asked("threads", url, load.requests, load.in_flight).wall_s,
        }
        if load.in_flight > 30:
            # The loop as it is written; two rounds of it, as its time is in proportion to them.
            few = 60
            seconds = asked("threads", url, few, 30).wall_s * load.requests / few
            spent["30 threads, openai"] = seconds
        if curator is not None:
            name = "bespokelabs-curator"
            spent[name] = asked("curator", url, load.requests, load.in_flight, python=str(curator)).wall_s
    for name, seconds in spent.items():
        against = f"{seconds:.1f} s, ideal {load.ideal_s:g} s: {load.requests} requests of {load.latency_s:g} s"
        yield Row(f"{load.in_flight} in flight: {name}", seconds / load.ideal_s, "x the ideal", against)


def short_answers(load: Load) -> Row:
    """Return the time of the whole command for many answers of 20 events."""
    with serving("--latency", str(load.latency_s), "--events", "20", "--packing", "20") as url:
        seconds = command_s(url, load)
    against = f"{seconds:.1f} s, ideal {load.ideal_s:g} s: {load.requests} requests of {load.latency_s:g} s"
    return Row(f"{load.in_flight} in flight, short: the command", seconds / load.ideal_s, "x the ideal", against)


def streamed(packing: int) -> Iterator[Row]:
    """CPU per streamed answer of 1000 events."""
    with serving("--latency", "4", "--packing", str(packing)) as url:
        spent = {name: cpu_ms("client" if name == "ours" else name, url) for name in ("reader", "ours", "sdk")}
    floor = spent.pop("reader")
    for name, milliseconds in spent.items():
        against = f"{milliseconds / floor:.2f} x aiohttp that throws the bytes away ({floor:.2f} ms)"
        yield Row(f"1000 events, {packing} a packet: {name}", milliseconds, "ms of CPU", against)


def whole() -> Iterator[Row]:
    """CPU per answer of 40 KB that is not streamed."""
    with serving("--latency", "0.2", "--size", "40000") as url:
        spent = {
            name: cpu_ms("client" if name == "ours" else name, url, requests=800, stream=False)
            for name in ("reader", "ours", "sdk")
        }
    floor = spent.pop("reader")
    for name, milliseconds in spent.items():
        against = f"{milliseconds / floor:.2f} x aiohttp that throws the bytes away ({floor:.2f} ms)"
        yield Row(f"40 KB, not streamed: {name}", milliseconds, "ms of CPU", against)


def memory(prompts: int) -> Iterator[Row]:
    """Resident memory of the stage with 1000 in flight, and how it grows."""
    every = prompts // FIGURES
    with serving("--latency", "2", "--size", "500") as url:
        spent = asked("stage", url, prompts, 1000, stream=False, every=every)
    course = spent.rss_mib
    # The first tenth fills the pools of the interpreter and of the connections.
    growth = (course[FIGURES - 1] - course[0]) / (FIGURES - 1) * 10_000 / every
    against = f"after each tenth: {', '.join(f'{mib:.0f}' for mib in course)}"
    yield Row(f"{prompts} prompts, 1000 in flight: resident memory", max(course), "MiB", against)
    yield Row("growth per 10000 answers", growth, "MiB", f"{spent.cpu_s / prompts * 1e3:.2f} ms of CPU an answer")


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Serve in another process; yield the base_url."""
    command = [sys.executable, "-m", "tests.bench.chat_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        finally:
            server.terminate()


def asked(
    client: str,
    url: str,
    requests: int,
    concurrency: int,
    *,
    python: str = sys.executable,
    **options: object,
) -> Spent:
    """Run a client to its end."""
    given = json.dumps({"requests": requests, "concurrency": concurrency, **options})
    command = [python, "-m", "tests.bench.sampling_clients", client, url, given]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"wall_s"')]
    if done.returncode or not lines:
        raise SystemExit(f"{client} failed:\n{done.stderr[-2000:]}")
    return Spent(**json.loads(lines[-1]))


def cpu_ms(client: str, url: str, *, requests: int = CPU_REQUESTS, stream: bool = True) -> float:
    """Return the CPU milliseconds per answer, 32 in flight."""
    return asked(client, url, requests, 32, stream=stream).cpu_s / requests * 1e3


def command_s(url: str, load: Load) -> float:
    """Return the seconds of the whole command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems = ({"id": f"p{n}", "question": f"Question {n}?", "gold": "72"} for n in range(load.requests))
        (folder / "p.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
        recipe = {
            "name": "r",
            "problems": {"dataset": "p.jsonl"},
            "teacher": {"kind": "endpoint", "base_url": url, "model": "r1"},
            "sample": {"concurrency": load.in_flight},
        }
        (folder / "r.yaml").write_text(json.dumps(recipe))
        command = [sys.executable, "-m", "cotdistill", "sample", "r.yaml"]
        started = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.monotonic() - started
