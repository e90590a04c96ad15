"""The process of Math-Verify against what would hang, swell or kill it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cotdistill.errors import UserError
from cotdistill.verifiers import _math_process, cpu_s
from cotdistill.verifiers._math_process import compare, require_math_verify

TOWER = "9^{9^{9^{9}}}"


def outcome(gold="x+1", answer="1+x", *, timeout_s=3.0, memory_mb=1024):
    return compare(gold, answer, timeout_s=timeout_s, memory_mb=memory_mb).outcome


def test_a_comparison_costs_its_limit_and_not_the_next_one():
    outcome()
    started = time.monotonic()
    before = cpu_s()
    assert outcome(TOWER, timeout_s=0.3) == "error"
    assert 0.3 <= cpu_s() - before < 1
    assert time.monotonic() - started < 20
    assert outcome() == "correct"


def test_memory_is_limited_for_each_request():
    matrix = "\\begin{pmatrix} " + " \\\\ ".join(["1 & 2 & 3 & 4"] * 30) + " \\end{pmatrix}"
    assert outcome(matrix, matrix.replace("pmatrix", "bmatrix"), memory_mb=16) in ("error", "unparsed", "wrong")
    assert outcome(matrix, matrix.replace("pmatrix", "bmatrix")) == "correct"


def test_a_process_that_was_killed_is_replaced():
    outcome()
    (worker,) = _math_process._workers
    os.killpg(worker.process.pid, 9)
    assert outcome() == "error"
    assert outcome() == "correct"


def test_a_process_that_was_ended_between_requests_never_shifts_the_replies():
    outcome()
    (worker,) = _math_process._workers
    worker.process.kill()
    worker.process.wait()
    outcome("a", "b")  # may be told of the end
    assert [outcome("x", "x"), outcome("x", "y"), outcome("x", "x")] == ["correct", "wrong", "correct"]


def test_a_forked_process_starts_its_own():
    assert outcome() == "correct"
    mine = _math_process._workers[0].process.pid
    child = os.fork()
    if child == 0:
        is_own = outcome() == "correct" and _math_process._workers[0].process.pid != mine
        _math_process._close()
        os._exit(0 if is_own else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert outcome() == "correct"


def test_it_ends_with_the_process_that_asks():
    code = (
        "from cotdistill.verifiers import _math_process as m\n"
        "m.compare('x', 'y', timeout_s=1, memory_mb=1024)\n"
        "print(m._workers[0].process.pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    require_math_verify.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Math-Verify is not installed \(pip install 'cotdistill\[math\]'\)"):
        require_math_verify()
    require_math_verify.cache_clear()


def test_the_process_is_given_no_key(monkeypatch):
    monkeypatch.setenv("API_KEY", "canary")
    worker = _math_process._Worker()
    try:
        environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes()
    finally:
        worker.close()
    assert b"PATH=" in environment
    assert b"canary" not in environment
