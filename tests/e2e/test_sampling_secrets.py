"""The key goes to the endpoint that the recipe names and nowhere else."""

import os
import re
import threading
import time
from pathlib import Path

import pytest

from tests.support.fault_server import EVENTS, RESET, FaultServer, Received, Script, answered, status, words
from tests.support.patience import HANGS_S
from tests.support.sampling_run import SamplingRun

KEY = "canary-7d1f0c55e2a94b"
ECHO = f'{{"error": {{"message": "the key {KEY} is busy"}}}}'
PAGE = f"<html>Authorization: Bearer {KEY}</html>"
PROMPTS = 9

BREAKS = """
import os
def fdatasync(number):
    raise RuntimeError("the disk controller is on fire")
os.fdatasync = fdatasync
"""

REPEATING: list[Script] = [
    (status(500, ECHO),),
    (status(429, ECHO, retry_after="0"),),
    (status(200, PAGE, content_type="text/html"),),
    (status(422, ECHO),),
    (EVENTS, *words(), RESET),
    (status(307, "", location=f"http://127.0.0.1:1/{KEY}?key={KEY}"),),
]
"""What servers say that repeats the key, in the order of the requests that it meets."""
REDIRECTS = (301, 302, 303, 307, 308)


def keyed(folder: Path, server: FaultServer, *, prompts: int = PROMPTS, **environment: str) -> SamplingRun:
    """A run whose temporary files and caches lie in its folder too."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home")}
    return SamplingRun(
        folder,
        server.base_url,
        prompts,
        teacher={"api_key_env": "TEACHER_KEY"},
        environment={**places, "TEACHER_KEY": KEY, **environment},
    )


def demanding(request: Received) -> Script:
    """Answer those who have the key."""
    has_key = f"authorization: bearer {KEY}" in request.head.lower()
    return (0.05, *answered(request)) if has_key else (status(401),)


def watched(run: SamplingRun) -> tuple[int, str, set[str]]:
    """Return exit code, output and every argument list that was seen in /proc meanwhile."""
    seen: set[str] = set()
    process = run.start()

    def look() -> None:
        while process.poll() is None:
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue
            time.sleep(0.05)

    watcher = threading.Thread(target=look)
    watcher.start()
    out, err = process.communicate(timeout=HANGS_S)
    watcher.join()
    return process.returncode, out + err, seen


def files_with_key(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_the_key_is_in_no_file_no_output_and_no_argument(tmp_path):
    """First a refusal that repeats the key stops the run, then all else that repeats it meets the run that goes on."""
    with FaultServer({4: (status(401, ECHO),)}, answer=demanding) as server:
        run = keyed(tmp_path, server, prompts=20)
        for code in (3, 0):
            exit_code, output, arguments = watched(run)
            assert exit_code == code, output
            assert KEY not in output
            assert any("cotdistill" in line for line in arguments) or not Path("/proc").exists()
            assert not [line for line in arguments if KEY in line]
            assert files_with_key(tmp_path) == []
            server.faults = {len(server.requests) + number: fault for number, fault in enumerate(REPEATING)}
    assert all(KEY in request.head for request in server.requests)
    assert len(server.requests) >= 5 + len(REPEATING)
    assert server.sent, "some meet no fault"
    redirected, refused = sorted(row["reason"] for row in run.rows("failed.jsonl"))
    assert (redirected, refused) == (
        "HTTP 307: a redirect to http://127.0.0.1/[key] was not followed",
        "HTTP 422: the key [key] is busy",
    )


def test_the_key_is_in_no_traceback(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(BREAKS)
    with FaultServer(answer=demanding) as server:
        path = os.pathsep.join(filter(None, [str(tmp_path / "broken"), os.environ.get("PYTHONPATH")]))
        done = keyed(tmp_path / "run", server, PYTHONPATH=path).run()
    assert done.returncode == 1
    assert "RuntimeError: the disk controller is on fire" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert files_with_key(tmp_path) == []


@pytest.fixture
def sample(call, monkeypatch):
    """Run `sample r.yaml` in this process with a key: its exit code, and all that it said."""

    def run(key: str) -> tuple[int, str]:
        monkeypatch.setenv("TEACHER_KEY", key)
        code, out, err = call("sample", "r.yaml")
        assert "Traceback" not in err
        return code, out + err

    return run


def test_nothing_is_sent_to_another_host_that_a_redirect_names(tmp_path, sample):
    with FaultServer() as other, FaultServer(answer=demanding) as server:
        place = f"{other.base_url}/chat/completions"
        run = keyed(tmp_path, server)
        named = {run.prompt(number): (status(code, "", location=place),) for number, code in enumerate(REDIRECTS)}
        server.faults = lambda request: named.get(request.prompt)
        code, said = sample(KEY)
    assert code == 0, said
    assert (other.connections, other.requests) == (0, [])
    failed = run.rows("failed.jsonl")
    assert [row["row"]["question"] for row in failed] == list(named)
    for code, row in zip(REDIRECTS, failed, strict=True):
        assert f"HTTP {code}: a redirect to" in row["reason"]
    assert len(server.requests) == PROMPTS


@pytest.mark.parametrize("value", ["", "  "])
def test_a_missing_key_is_said_before_anything_is_sent(tmp_path, sample, value):
    with FaultServer() as server:
        keyed(tmp_path, server)
        code, said = sample(value)
    assert code == 2
    assert "TEACHER_KEY" in said
    assert (server.connections, server.requests) == (0, [])


def test_a_wrong_key_is_tried_no_more_than_once_per_running_request(tmp_path, sample):
    wrong = "canary-wrong-key-91"
    with FaultServer(answer=demanding) as server:
        run = keyed(tmp_path, server)
        code, said = sample(wrong)
    assert code == 3
    assert len(server.requests) <= run.concurrency
    assert "TEACHER_KEY" in said
    assert wrong not in said


def test_a_key_that_is_revoked_midway_keeps_what_came_and_a_new_one_goes_on(tmp_path, sample):
    valid = {"old": True}

    def choose(request: Received) -> Script:
        if "bearer canary-old" in request.head.lower():
            valid["old"] &= len(server.requests) < 5
            return (0.1, *answered(request)) if valid["old"] else (status(401),)
        return answered(request)

    with FaultServer(answer=choose) as server:
        run = keyed(tmp_path, server)
        code, said = sample("canary-old")
        stored = run.stored()
        assert code == 3, said
        assert 0 < len(stored) < PROMPTS
        assert re.search(rf"\b{len(stored)}\b.*stored", said)
        asked = len(server.requests)
        code, said = sample(KEY)
    assert code == 0, said
    assert not set(stored) & {request.prompt for request in server.requests[asked:]}
    assert run.stored() == run.all_prompts
