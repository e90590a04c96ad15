"""The disk fills up while answers arrive: the command stops with exit 75 and goes on when there is space."""

import random
import resource
import shutil
import subprocess
import sys

import pytest

from tests.support.fault_server import FaultServer, Received, Script, kept_open, streamed
from tests.support.patience import HANGS_S
from tests.support.sampling_run import SamplingRun

PROMPTS = 80
IN_FLIGHT = 8
TEXT = ("48 + 24 = 72. " * 7).replace(" ", "_") + " "
RECORD_BYTES = 2500
"""Of one such answer in the ledger, at least."""
SMALLEST = 6000
"""Bytes of a file; the recipe that is kept beside the rows is smaller."""


def long_answer(request: Received) -> Script:
    return (0.01, kept_open(streamed(text=TEXT), "text/event-stream"))


def no_file_above(size_bytes: int):
    """Return what lets no file of the child grow beyond a size: the write that reaches it is short, the next fails."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))

    return limit


def check_stopped(done, run: SamplingRun, server: FaultServer, sent_before: int, stored_before: int) -> None:
    """All that was stored is whole, and no more was lost than was in flight."""
    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr
    assert "completions.jsonl" in done.stderr
    assert "space" in done.stderr
    stored = run.stored()
    assert len(stored) == len(set(stored))
    assert (run.stage / "completions.jsonl").read_bytes().endswith(b"\n") or not stored
    assert len(server.sent) - sent_before - (len(stored) - stored_before) <= IN_FLIGHT


@pytest.mark.parametrize("sizes", [pytest.param(20, marks=pytest.mark.slow), 1])
def test_a_disk_that_is_full_at_many_sizes_costs_at_most_what_is_in_flight(tmp_path, sizes):
    limits = sorted(random.Random(7).sample(range(SMALLEST, PROMPTS * RECORD_BYTES), sizes))
    with FaultServer(answer=long_answer) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, concurrency=IN_FLIGHT)
        for limit in limits:
            sent, stored = len(server.sent), len(run.stored())
            done = run.run(before=no_file_above(limit))
            check_stopped(done, run, server, sent, stored)
            assert (run.stage / "completions.jsonl").stat().st_size <= limit
        done = run.run()
    assert done.returncode == 0, done.stderr
    assert run.stored() == run.all_prompts
    assert len(server.requests) <= PROMPTS + sizes * IN_FLIGHT
    assert len(run.rows()) == PROMPTS


def is_mountable() -> bool:
    """Whether a small file system can be mounted in a name space of its own."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not is_mountable(), reason="no small file system can be mounted here")
@pytest.mark.parametrize("size_kib", [64, 128, 256])
def test_a_file_system_without_space_costs_at_most_what_is_in_flight(tmp_path, size_kib):
    with FaultServer(answer=long_answer) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, concurrency=IN_FLIGHT)
        script = (
            f"mkdir runs && mount -t tmpfs -o size={size_kib}k none runs && "
            '"$@"; code=$?; cp -a runs kept; umount runs; rmdir runs; mv kept runs; exit $code'
        )
        command = ["unshare", "-rm", "sh", "-c", script, "sh", *run.command()]
        done = subprocess.run(command, cwd=run.folder, check=False, capture_output=True, text=True, timeout=HANGS_S)
        check_stopped(done, run, server, 0, 0)
        assert run.stored(), "some answers found space"
        done = run.run()
    assert done.returncode == 0, done.stderr
    assert run.stored() == run.all_prompts
    assert len(server.requests) <= PROMPTS + IN_FLIGHT
