"""An evaluation that is killed goes on, and asks nothing of what it has stored again."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.support.examination import never_closes
from tests.support.fault_server import FaultServer
from tests.support.patience import HANGS_S, wait_for
from tests.support.sweep import cases

PROBLEMS, SAMPLES, AT_ONCE = 6, 2, 3
REQUESTS = 2 * PROBLEMS * SAMPLES
"""Each answer takes two: the thought up to its budget, and what follows once it is closed."""
MOMENTS = [2, 9, 17, 1, 4, 6, 11, 14, 20, 23]


def asked(body):
    """What tells one request from another: the question, the sample, and whether the thought is closed."""
    question = next(m["content"] for m in body["messages"] if m["role"] == "user")
    return question, body["seed"], len(body["messages"])


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS[: cases(len(MOMENTS), smallest=2)])
def test_a_killed_evaluation_repeats_nothing_that_was_stored(tmp_path, moment):
    rows = [{"id": f"p{n}", "question": f"What is {n} + 1?", "gold": str(n + 1)} for n in range(PROBLEMS + 1)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "cotdistill", "evaluate", "r.yaml"]
    slow = lambda request: (0.2, *never_closes(request))  # noqa: E731  # what is in flight at the kill stays so
    with FaultServer(answer=slow) as server:
        sampler = {"kind": "endpoint", "base_url": server.base_url, "model": "m", "concurrency": AT_ONCE}
        recipe = {
            "name": "r",
            "problems": {"dataset": "p.jsonl", "holdout": PROBLEMS},
            "student": {"kind": "full", "model": "owner/base"},
            "evaluate": {
                "baseline": False,
                "sampler": sampler,
                "samples_per_problem": SAMPLES,
                "temperature": 0.6,
                "think_budget": 100,
            },
        }
        (tmp_path / "r.yaml").write_text(json.dumps(recipe, indent=1) + "\n")
        run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        wait_for(lambda: len(server.requests) > moment, run)
        run.kill()
        run.wait()
        ledger = next((tmp_path / "runs/r").rglob("completions.jsonl"))
        stored = ledger.read_bytes().split(b"\n")[:-1]
        before = Counter(asked(request.body) for request in server.requests)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=HANGS_S, check=False)
        assert done.returncode == 0, done.stderr
        again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=HANGS_S, check=True)
        assert again.returncode == 0
    after = Counter(asked(request.body) for request in server.requests)
    assert len(after) == REQUESTS
    repeated = sum(after.values()) - REQUESTS
    assert repeated == sum(before.values()) - len(stored), "what was in flight, and nothing else"
    assert repeated <= AT_ONCE
    scores = [json.loads(line) for line in next((tmp_path / "runs/r").rglob("rows.jsonl")).read_text().splitlines()]
    assert Counter(score["thought"] for score in scores) == {"forced": PROBLEMS * SAMPLES}
