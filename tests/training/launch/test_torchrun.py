"""Which worker under torchrun ended first, and why."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from cotdistill.training.launch.torchrun import first_failure, note
from tests.support.patience import HANGS_S, wait_for

RENDEZVOUS = ("--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0")


def failures(tmp_path, *codes, late=()):
    """Return failures by rank, given as (rank, exit code) in the order in which torchrun sees them."""
    made = {rank: ProcessFailure(rank, 100 + rank, code, str(tmp_path / "none")) for rank, code in codes}
    for rank in late:
        made[rank].timestamp += 30
    return made


@pytest.mark.parametrize(
    ("codes", "late", "rank"),
    [
        ([(0, -15), (3, -9)], (), 3),
        ([(0, 1), (3, -9)], (), 3),
        ([(3, 1), (0, 1), (1, -15)], (), 3),
        ([(3, 1), (0, 143)], (), 3),
        ([(0, -6), (1, -11)], (), 1),
        ([(2, 1), (0, -9)], (0,), 2),
        ([(0, -15), (1, -15)], (), 0),
    ],
)
def test_the_first_failure_is_not_one_that_another_ones_end_caused(tmp_path, codes, late, rank):
    assert first_failure(failures(tmp_path, *codes, late=late))[0] == rank


def test_a_workers_own_words_stay_unless_another_was_killed_first(tmp_path):
    file = tmp_path / "failure.txt"
    note(file, "rank 0: ValueError: boom", 1, Path("rank-0.log"))
    note(file, "rank 1: RuntimeError: connection closed", 1, Path("rank-0.log"))
    assert file.read_text() == "rank 0: ValueError: boom\nrank-0.log\n"
    note(file, "rank 3 was killed", -signal.SIGKILL, Path("rank-3.log"))
    assert file.read_text() == "rank 3 was killed\nrank-3.log\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "code", "reason"),
    [
        ("sys.exit(7)", 7, "rank 1 ended with exit code 7"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "rank 1 was killed (SIGKILL), often for memory"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "rank 1 ended by SIGSEGV"),
        ("raise ValueError('boom')", 1, "rank 1: ValueError: boom"),
        ("raise SystemExit(0)", 0, None),
    ],
)
def test_torchrun_ends_with_exit_code_and_reason_of_its_worker(tmp_path, ending, code, reason):
    script, failure = tmp_path / "worker.py", tmp_path / "failure.txt"
    script.write_text(
        "import atexit, os, signal, sys, time\n"
        "atexit.register(print, 'the last line', file=sys.stderr)\n"
        f"if os.environ['RANK'] == '1': {ending}\n"
        f"time.sleep(0 if {code} == 0 else {2 * HANGS_S})\n"
    )
    command = [sys.executable, "-m", "cotdistill.training.launch.torchrun", str(tmp_path / "logs"), str(failure)]
    options = ["--nproc_per_node=2", *RENDEZVOUS, str(script)]
    ended = subprocess.run([*command, *options], check=False, timeout=HANGS_S, capture_output=True, text=True)
    assert ended.returncode == code
    said = failure.read_text().strip() if failure.exists() else None
    log = tmp_path / "logs" / "rank-1.log"
    reason = f"{reason}: the last line" if code == 7 else reason
    assert said == (f"{reason}\n{log}" if reason else None)
    assert ("the last line" in log.read_text()) == (code in (0, 1, 7))
    if code in (0, 1, 7):
        assert "[rank 1] the last line" in ended.stderr


@pytest.mark.slow
def test_a_term_to_every_process_is_left_to_the_workers_and_the_closed_pipe_ends_all(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(
        "import os, pathlib, signal, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "signal.signal(signal.SIGTERM, lambda *_: (folder / ('term-' + os.environ['RANK'])).touch())\n"
        "(folder / ('pid-' + os.environ['RANK'])).write_text(str(os.getpid()))\n"
        "os.read(0, 1)\n"
    )
    command = [sys.executable, "-m", "cotdistill.training.launch.torchrun", str(tmp_path / "logs"), "failure.txt"]
    options = ["--nproc_per_node=2", *RENDEZVOUS, str(script), str(tmp_path)]
    agent = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, cwd=tmp_path)
    files = [tmp_path / f"pid-{rank}" for rank in (0, 1)]
    wait_for(lambda: all(file.exists() and file.read_text() for file in files), agent)
    for pid in (agent.pid, *(int(file.read_text()) for file in files)):
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: all((tmp_path / f"term-{rank}").exists() for rank in (0, 1)), agent)
    assert agent.poll() is None
    agent.stdin.close()
    assert agent.wait(HANGS_S) in (0, 143)
