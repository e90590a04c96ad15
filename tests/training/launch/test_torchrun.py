"""Which worker under torchrun ended first, and why."""

import signal
import subprocess
import sys

import pytest
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from cotdistill.training.launch.torchrun import first_failure, note
from tests.support.patience import HANGS_S


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
    note(file, "rank 0: ValueError: boom", 1)
    note(file, "rank 1: RuntimeError: connection closed", 1)
    assert file.read_text() == "rank 0: ValueError: boom\n"
    note(file, "rank 3 was killed", -signal.SIGKILL)
    assert file.read_text() == "rank 3 was killed\n"


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
    command = [sys.executable, "-m", "cotdistill.training.launch.torchrun", str(failure)]
    options = ["--nproc_per_node=2", "--standalone", str(script)]
    ended = subprocess.run([*command, *options], check=False, timeout=HANGS_S, capture_output=True, text=True)
    assert ended.returncode == code
    said = failure.read_text().strip() if failure.exists() else None
    if code == 7:
        assert said == f"{reason}: the last line"
    else:
        assert said == reason
    if code in (0, 1, 7):
        assert "[rank 1] the last line" in ended.stderr
