"""A long run in which all goes wrong at once: three servers, every fault, kills, Ctrl-C, a full disk and a budget."""

import json
import random
import re
import resource
import signal
from collections import Counter

import pytest

from tests.support.fault_server import FaultServer
from tests.support.faults import CUT_ANSWERS, CUT_STREAMS, STATUSES
from tests.support.patience import wait_for
from tests.support.peak_memory import PeakMemory
from tests.support.sampling_run import SamplingRun

PROMPTS = 5000
IN_FLIGHT = 48
SHARE = 0.1
"""Of the prompts, how many meet a fault at their first attempt."""
PROMPT_TOKENS, TOKENS = 20, 9
"""Of a prompt and of a good answer, as the server counts them."""
MEMORY_KIB = 400 << 10


class Faults:
    """What goes wrong at the first attempt of some prompts, at whichever server it is made."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.scripts = list((CUT_STREAMS | CUT_ANSWERS | STATUSES).values())
        self.met = set()
        self.billed = 0
        """Tokens of the answers that broke."""

    def __call__(self, received):
        prompt = received.prompt
        if prompt in self.met:
            return None
        self.met.add(prompt)
        if self.random.random() >= SHARE:
            return None
        script = self.random.choice(self.scripts)
        self.billed += tokens_in(b"".join(step for step in script if isinstance(step, bytes)))
        return script


def tokens_in(sent):
    """Return what a server bills for an answer that it did not send well: a token a piece, all of a whole one."""
    said = len(re.findall(rb'content": "[^"]', sent))
    return TOKENS if b'"message": {"role"' in sent else min(said, TOKENS)


def limit_files():
    """No file of the child grows beyond 400 KiB, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (400 << 10, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_whatever_goes_wrong_every_answer_is_stored_once_and_every_start_ends_well(tmp_path):
    faults, ends = Faults(7), Counter()
    with FaultServer(faults) as a, FaultServer(faults) as b, FaultServer(faults) as c:
        servers = (a, b, c)
        run = SamplingRun(tmp_path, a.base_url, PROMPTS, concurrency=IN_FLIGHT, sample={"max_failed": 0.2})
        run.teacher = {"base_url": None, "endpoints": [{"base_url": one.base_url} for one in servers]}
        recipe = json.loads((tmp_path / "r.yaml").read_text())

        def start(before=None, **sample):
            recipe["teacher"] = {"kind": "endpoint", "model": "r1", "endpoints": run.teacher["endpoints"]}
            recipe["sample"] = {"concurrency": IN_FLIGHT, "max_failed": 0.2, **sample}
            (tmp_path / "r.yaml").write_text(json.dumps(recipe))
            process = run.start(before=before)
            return process, PeakMemory(process.pid)

        def end(process, peak, expected):
            _, err = process.communicate()
            assert "Traceback" not in err, err[-3000:]
            assert peak.kib() < MEMORY_KIB
            assert process.returncode in expected, err[-3000:]
            ends[process.returncode] += 1

        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            so_far = sum(len(server.sent) for server in servers)
            process, peak = start()
            wait_for(lambda so_far=so_far: sum(len(one.sent) for one in servers) > so_far + 150, process)
            process.send_signal(number)
            end(process, peak, {-signal.SIGKILL, 130, 143, 129})
        end(*start(before=limit_files), {75})
        end(*start(budget={"output_tokens": 12_000}), {75})
        end(*start(budget={"output_tokens": 12_000}), {75})
        end(*start(), {0})
    stored = Counter(record["problem_id"] for record in run.records())
    assert len(stored) == PROMPTS
    assert set(stored.values()) == {1}
    sent = Counter(prompt for server in servers for prompt in server.sent_prompts)
    assert set(sent) == set(run.all_prompts)
    # What was in flight at a kill, or had no room on the disk, is all that was sent twice.
    assert sent.total() - PROMPTS <= 3 * IN_FLIGHT
    spent = json.loads((run.stage / "spending.json").read_text())
    assert spent["answers"] == PROMPTS
    # All but the answers that a kill or the full disk lost: no one is there to book them.
    assert spent["output_tokens"] == pytest.approx(TOKENS * PROMPTS + faults.billed, rel=0.02)
    assert spent["input_tokens"] == pytest.approx(PROMPT_TOKENS * (PROMPTS + spent["broken"]), rel=0.02)
    assert spent["broken"] > 0
    assert ends[75] == 3
