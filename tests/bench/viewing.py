"""`cotdistill-cli view` of a run with many traces: the first index, opening after it, memory, a search.

`python -m tests.bench viewing --view-traces 1000000` writes 15 GB into the temporary folder, and removes it again.
Traces have 5 KB: real answers, given by `--traces`, as often as that takes.
"""

import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cotdistill.records import Completion, Problem, Trace, Usage, Verdict
from tests.bench.command import Row
from tests.bench.resuming import cpu_s
from tests.support.peak_memory import PeakMemory
from tests.support.viewed_run import finish, write_arms

TRACES = 20_000
TRACE_BYTES = 5000
RARE = "the elephant of the last trace"
STAGES = {"sample": "1-sample", "filter": "2-filter", "convert": "3-convert"}


def measure(texts: Path | None, traces: int | None) -> Iterator[Row]:
    count = traces or TRACES
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "large"
        size = write_run(run, count, read_texts(texts))
        of = f"{count:,} traces, {size / 1e9:.1f} GB in three stages"
        with serving(run) as (address, process, started):
            peak = PeakMemory(process.pid)
            opened = opening_s(address, started)
            while not is_indexed(address):
                time.sleep(0.5)
            yield Row("view: the page during the first index", opened, "s", of)
            yield Row("view: the first index", time.monotonic() - started, "s", of)
        yield Row("view: memory at the first index", peak.kib() / 1024, "MiB", of)
        index = run / "view.sqlite"
        yield Row("view: the index", index.stat().st_size / count, "bytes", "for each trace, in three stages")
        with serving(run) as (address, process, started):
            peak = PeakMemory(process.pid)
            opened = opening_s(address, started)
            yield Row("view: opening after it", opened, "s", f"{cpu_s(process.pid):.2f} s of CPU")
            yield Row("view: page 1 of wrong ones, filtered", request_s(address, "rows", reason="wrong"), "s", of)
            last = str(max(0, count - 100))
            yield Row("view: the last page of a list", request_s(address, "rows", **{"from": last}), "s", of)
            first, whole, times = search_s(address, RARE)
            yield Row("view: a search says how far it is after", first, "s", f"{times} answers until it is through")
            yield Row("view: a search for what one trace has", whole, "s", of)
            yield Row(
                "view: a search for a usual word", search_s(address, "because", times=1)[0], "s", "100 rows found"
            )
        yield Row("view: memory", peak.kib() / 1024, "MiB", of)


def read_texts(path: Path | None) -> Iterator[str]:
    """Yield texts of about 5 KB without end."""
    if path is None:
        answers = ["She walks on and counts the clips: 48 / 2 = 24, because in May she sold 24 clips. "]
    else:
        answers = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
    endless = itertools.cycle(answers)
    while True:
        text = ""
        while len(text) < TRACE_BYTES - 600:
            text += next(endless) + "\n\n"
        yield text[: TRACE_BYTES - 600]


def write_run(run: Path, count: int, texts: Iterator[str]) -> int:
    """Write a run whose sampling, filter and data set are done; return its size in bytes."""
    for folder in STAGES.values():
        (run / folder).mkdir(parents=True)
    names = {"sample": ["rows.jsonl"], "filter": ["rows.jsonl", "rejected.jsonl"], "convert": ["sharegpt.json"]}
    paths = [run / STAGES[stage] / name for stage, files in names.items() for name in files]
    sampled, kept, rejected, written = (path.open("w", encoding="utf-8") for path in paths)
    written.write("[\n")
    for number in range(count):
        trace, row = make_trace(number, next(texts) + (RARE if number == count - 1 else ""))
        sampled.write(row + "\n")
        if trace.verdict is not None and trace.verdict.outcome == "wrong":
            rejected.write(f'{{"kind":"wrong","reason":"found 7, gold 72; answer","row":{row}}}\n')
        else:
            kept.write(row + "\n")
            turns = [{"from": "user", "value": trace.problem.question}]
            turns.append({"from": "assistant", "value": trace.completion.reasoning})
            written.write(json.dumps({"id": trace.id, "system": "", "conversations": turns}) + ",\n")
    written.write("]\n")
    for file in (sampled, kept, rejected, written):
        file.close()
    (run / "3-convert" / "dataset_info.json").write_text(json.dumps({"large": {"file_name": "sharegpt.json"}}))
    write_arms(run, {"main": STAGES})
    for stage, folder in STAGES.items():
        finish(run / folder, stage, count, count)
    return sum(path.stat().st_size for path in paths)


def make_trace(number: int, text: str) -> tuple[Trace, str]:
    """Return a trace and its line; one in seven is wrong."""
    outcome = "wrong" if number % 7 == 0 else "correct"
    trace = Trace(
        problem=Problem(id=f"p{number}", question=f"Question {number}: how many clips?", gold="72"),
        completion=Completion(
            key="0" * 64,
            index=0,
            reasoning=text,
            text="It is 72.",
            usage=Usage(prompt_tokens=40, completion_tokens=900 + number % 500),
        ),
        verdict=Verdict(outcome=outcome, extracted="72", reason="answer"),
    )
    return trace, trace.model_dump_json()


@contextmanager
def serving(run: Path) -> Iterator[tuple[str, subprocess.Popen[str], float]]:
    """Start the command; yield the address, the process, and when it was started."""
    started = time.monotonic()
    command = [sys.executable, "-m", "cotdistill", "view", str(run), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process, started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def ask(address: str, what: str, **given: str) -> dict:
    """Return an answer of the viewer."""
    url = f"{address}api/run/large/{what}?{urllib.parse.urlencode(given)}"
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def opening_s(address: str, started: float) -> float:
    """Return the seconds from the command to the first rows of the list, by all that the page asks for."""
    for file in ("", "main.js", "style.css"):
        urllib.request.urlopen(address + file).read()
    ask(address, "state")
    ask(address, "facets", stage="filter")
    ask(address, "rows", stage="filter")
    return time.monotonic() - started


def is_indexed(address: str) -> bool:
    index = ask(address, "state")["index"]
    return index["done_bytes"] >= index["total_bytes"]


def request_s(address: str, what: str, **given: str) -> float:
    started = time.monotonic()
    ask(address, what, stage="filter", **given)
    return time.monotonic() - started


def search_s(address: str, text: str, *, times: int | None = None) -> tuple[float, float, int]:
    """Return the seconds until a search's first answer, until its last, and how many there were."""
    started, after, first = time.monotonic(), 0, 0.0
    for asked in itertools.count(1):
        found = ask(address, "search", stage="filter", text=text, after=str(after))
        first = first or time.monotonic() - started
        after = found["after"]
        if found["is_done"] or asked == times:
            return first, time.monotonic() - started, asked
    raise AssertionError("a search has an end")
