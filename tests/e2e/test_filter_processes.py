"""The command filters with several processes: kills, signals, and how much memory it takes."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.patience import HANGS_S, wait_for
from tests.support.recorded_set import bytes_written, peak_mib, start_filter, workers_of, write_recorded_set

ROWS = 6_000
SENT_BYTES = 300_000
"""A worker that has written so much is in the middle of its rows, which are nine megabytes."""
OUTPUTS = ("rows.jsonl", "rejected.jsonl")


def outputs(folder):
    return [(folder / "runs" / "r" / "2-filter" / name).read_bytes() for name in OUTPUTS]


def is_screening(folder):
    """Return whether the stage has begun: before it, problems are read and checked."""
    log = folder / "runs" / "r" / "run.log"
    return log.exists() and "2-filter: starts" in log.read_text()


def finished(folder, *arguments):
    process = start_filter(folder, *arguments)
    _, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0, err
    return err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    write_recorded_set(folder, ROWS, pass_rate=[0, 1], max_kept_per_problem=1)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    finished(folder, "--set", "filter.processes=1")
    found = outputs(folder)
    assert all(found)
    return found


def started(folder, tmp_path, processes=2):
    """Start the command in a folder of its own; return it and its workers once all of them screen rows."""
    for name in ("t.jsonl", "r.yaml"):
        (tmp_path / name).hardlink_to(folder / name)
    process = start_filter(tmp_path, "--set", f"filter.processes={processes}")
    wait_for(lambda: is_screening(tmp_path) and len(busy_workers(process)) == processes, process)
    return process, busy_workers(process)


def busy_workers(process):
    return [worker for worker in workers_of(process.pid) if bytes_written(worker) > SENT_BYTES]


@pytest.mark.slow
def test_killed_workers_cost_time_only(folder, expected, tmp_path):
    process, workers = started(folder, tmp_path, processes=3)
    for worker in workers[:2]:
        os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0, err
    assert err.count("ended by signal 9") == 2
    assert outputs(tmp_path) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_the_command_and_every_worker(folder, tmp_path, number, code):
    process, workers = started(folder, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=HANGS_S)
    assert (process.returncode, "Traceback" in err) == (code, False), err
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert not (tmp_path / "runs/r/2-filter/manifest.json").exists()


@pytest.mark.slow
def test_memory_grows_by_numbers_and_not_by_rows(tmp_path):
    peaks = []
    for rows in (2_000, 10_000):
        write_recorded_set(tmp_path / str(rows), rows)
        process = start_filter(tmp_path / str(rows), "--set", "filter.processes=1")
        peak = 0.0
        while process.poll() is None:
            try:
                peak = peak_mib(process.pid)
            except (OSError, ValueError):
                break  # it has just ended
            time.sleep(0.01)
        assert process.wait(HANGS_S) == 0, process.communicate()
        peaks.append(peak)
    # 8,000 rows more are 24 MB of text; 200 bytes each are 1.5 MiB.
    assert peaks[1] - peaks[0] < 6
