"""Limited calls against what would hang, swell or kill their process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cotdistill.engines.limited import LimitedCalls
from cotdistill.errors import UserError

SCRIPT = """
import os, time

def main(what, value=""):
    if what == "echo":
        return [value, os.getpid()]
    if what == "environment":
        return [dict(os.environ), 0]
    if what == "large power":
        return 9 ** 9 ** 9 ** 9
    if what == "memory":
        return len(bytearray(int(value)))
    if what == "raise":
        raise ValueError(value)
    os._exit(0)
"""
ECHO = {"timeout_s": 3.0, "memory_mb": 512}


@pytest.fixture
def calls(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    made = LimitedCalls(tmp_path / "script.py", hint="look")
    yield made
    made.close()


def echo(calls, value="x"):
    said, pid = calls("echo", value, **ECHO)
    assert said == value
    return pid


def test_one_process_answers_call_after_call(calls):
    assert echo(calls, "a") == echo(calls, "b") != os.getpid()


def test_a_call_costs_its_limit_and_not_the_next_one(calls):
    first, started = echo(calls), time.monotonic()
    before = calls.spent_s
    with pytest.raises(TimeoutError, match=r"takes more than 0.3 s of CPU time"):
        calls("large power", timeout_s=0.3, memory_mb=512)
    assert calls.spent_s - before == 0.3
    assert time.monotonic() - started < 20
    assert echo(calls) != first


@pytest.mark.parametrize(("what", "value"), [("raise", "why"), ("exit", ""), ("memory", str(1 << 30))])
def test_what_ends_the_process_is_no_result_and_the_next_call_has_another(calls, what, value):
    first = echo(calls)
    with pytest.raises(ChildProcessError, match="its process ended or is silent"):
        calls(what, value, **ECHO)
    assert echo(calls) != first


def test_memory_is_limited_for_each_call(calls):
    first = echo(calls)
    assert calls("memory", str(1 << 30), timeout_s=30.0, memory_mb=4096) == 1 << 30
    assert echo(calls) == first


@pytest.mark.parametrize("is_reaped", [True, False])
def test_a_process_that_was_killed_between_calls_is_replaced(calls, is_reaped):
    pid = echo(calls)
    os.kill(pid, 9)
    if is_reaped:
        os.waitpid(pid, 0)
    with pytest.raises(ChildProcessError):
        echo(calls)
    assert [echo(calls, value) != pid for value in "abc"] == [True] * 3


def test_a_forked_process_starts_its_own(calls):
    mine = echo(calls)
    child = os.fork()
    if child == 0:
        is_own = echo(calls) != mine
        calls.close()
        os._exit(0 if is_own else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert echo(calls) == mine


def test_it_ends_with_the_process_that_calls(calls):
    code = (
        "from pathlib import Path\n"
        "from cotdistill.engines.limited import LimitedCalls\n"
        f"calls = LimitedCalls(Path({str(calls.script)!r}), hint='')\n"
        "print(calls('echo', timeout_s=1, memory_mb=512)[1])"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_process_is_given_no_key(calls, monkeypatch):
    monkeypatch.setenv("API_KEY", "canary")
    environment, _ = calls("environment", **ECHO)
    assert "PATH" in environment
    assert "API_KEY" not in environment
    assert b"canary" not in Path(f"/proc/{echo(calls)}/environ").read_bytes()


def test_a_script_that_does_not_start_is_named(tmp_path):
    (tmp_path / "broken.py").write_text("import a_package_that_is_nowhere")
    with pytest.raises(UserError, match=r"broken.py does not start \(look\)"):
        LimitedCalls(tmp_path / "broken.py", hint="look")("echo", **ECHO)
