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

PROMPTS = 160
IN_FLIGHT = 8
TEXT = ("48+24=72." * 11 + " ") * 21
SIZES = 20
RECORD_BYTES = 2500
"""Of one such answer in the ledger, at least."""
SMALLEST = 6000
"""Bytes of a file; the recipe that is kept beside the rows is smaller."""

LONG_ANSWER: Script = (0.01, kept_open(streamed(text=TEXT), "text/event-stream"))


def long_answer(request: Received) -> Script:
    return LONG_ANSWER


def no_file_above(size_bytes: int) -> None:
    """Let no file of this process grow beyond a size: the write that reaches it is short, the next fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def check_stopped(code: int, err: str, run: SamplingRun, server: FaultServer, sent: int = 0, stored: int = 0) -> None:
    """All that was stored is whole, and no more was lost than was in flight; so much was sent and stored before."""
    assert code == 75, err
    assert "Traceback" not in err
    assert "completions.jsonl" in err
    assert "space" in err
    now_stored = run.stored()
    assert len(now_stored) == len(set(now_stored))
    assert (run.stage / "completions.jsonl").read_bytes().endswith(b"\n") or not now_stored
    assert len(server.sent) - sent - (len(now_stored) - stored) <= IN_FLIGHT


def test_a_disk_that_is_full_at_many_sizes_costs_at_most_what_is_in_flight(tmp_path, call):
    limits = sorted(random.Random(7).sample(range(SMALLEST, PROMPTS * RECORD_BYTES), SIZES))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    with FaultServer(answer=long_answer) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, concurrency=IN_FLIGHT)
        for limit in limits:
            sent, stored = len(server.sent), len(run.stored())
            no_file_above(limit)
            try:
                code, _, err = call("sample", "r.yaml")
            finally:
                no_file_above(unlimited)
            check_stopped(code, err, run, server, sent, stored)
            assert (run.stage / "completions.jsonl").stat().st_size <= limit
        code, _, err = call("sample", "r.yaml")
    assert code == 0, err
    check_all_came(run, server, stops=SIZES)


def test_a_disk_that_is_full_ends_the_process_and_costs_at_most_what_is_in_flight(tmp_path, call):
    with FaultServer(answer=long_answer) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, concurrency=IN_FLIGHT)
        done = run.run(before=lambda: no_file_above(PROMPTS * RECORD_BYTES // 2))
        check_stopped(done.returncode, done.stderr, run, server)
        assert (run.stage / "completions.jsonl").stat().st_size <= PROMPTS * RECORD_BYTES // 2
        code, _, err = call("sample", "r.yaml")
    assert code == 0, err
    check_all_came(run, server, stops=1)


def check_all_came(run: SamplingRun, server: FaultServer, *, stops: int) -> None:
    """The run that went on has every answer, and asked again at most for what was in flight when it stopped."""
    assert run.stored() == run.all_prompts
    assert len(server.requests) <= PROMPTS + stops * IN_FLIGHT
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
def test_a_file_system_without_space_costs_at_most_what_is_in_flight(tmp_path, call, size_kib):
    with FaultServer(answer=long_answer) as server:
        run = SamplingRun(tmp_path, server.base_url, PROMPTS, concurrency=IN_FLIGHT)
        script = (
            f"mkdir runs && mount -t tmpfs -o size={size_kib}k none runs && "
            '"$@"; code=$?; cp -a runs kept; umount runs; rmdir runs; mv kept runs; exit $code'
        )
        command = ["unshare", "-rm", "sh", "-c", script, "sh", *run.command()]
        done = subprocess.run(command, cwd=run.folder, check=False, capture_output=True, text=True, timeout=HANGS_S)
        check_stopped(done.returncode, done.stderr, run, server)
        assert run.stored(), "some answers found space"
        code, _, err = call("sample", "r.yaml")
    assert code == 0, err
    check_all_came(run, server, stops=1)
