"""A server that is started for a run, asked, and stopped with all that it has started."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from cotdistill.client.concurrency import SendGate
from cotdistill.errors import UserError
from cotdistill.records import Message, Problem, Sampling
from cotdistill.registry import make
from cotdistill.samplers import Request
from tests.support import fake_vllm
from tests.support.patience import wait_for

REQUEST = Request(
    Problem(id="p", question="How many?"),
    (Message(role="user", content="How many?"),),
    Sampling(max_tokens=50, temperature=0),
    0,
    "<think>\n",
)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    def install(**behaviour):
        home = fake_vllm.install(tmp_path, **behaviour)
        monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
        return home

    return install


def sampler(tmp_path, **options):
    return make("samplers", "vllm", **{"model": "owner/name", "log": tmp_path / "vllm.log"} | options)


def ask(sampler, *, times=1):
    async def main():
        async with sampler.session(SendGate()) as draw:
            return await asyncio.gather(*(draw(REQUEST) for _ in range(times)))

    return asyncio.run(main())


def test_it_is_started_asked_and_stopped_with_its_processes(tmp_path, installed):
    home = installed(text="It is 72.", start_s=1)
    replies = ask(sampler(tmp_path), times=3)
    assert [reply.response["choices"][0]["message"]["content"] for reply in replies] == ["It is 72."] * 3
    body = fake_vllm.asked(home)[0]
    assert body["messages"][-1] == {"role": "assistant", "content": "<think>\n"}
    assert body["continue_final_message"] is True
    assert len(fake_vllm.processes(home)) == 2
    assert not any(map(fake_vllm.is_alive, fake_vllm.processes(home)))


def test_the_command_serves_the_model_as_the_recipe_asks(tmp_path):
    made = sampler(tmp_path, serve={"tensor_parallel_size": 2, "enforce_eager": True}, revision="v1")
    words = made.command(8123)
    assert words[:3] == ["vllm", "serve", "owner/name"]
    options = " ".join(words[3:])
    assert "--served-model-name served" in options and "--host 127.0.0.1 --port 8123" in options
    assert "--generation-config vllm" in options, "what the checkpoint would like to be asked with is not asked"
    assert options.endswith("--revision v1 --tensor-parallel-size 2 --enforce-eager")
    assert "--trust-remote-code" not in options


def test_an_adapter_is_served_on_its_base(tmp_path):
    config = {"base_model_name_or_path": "owner/base", "revision": "abc", "r": 24}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    options = " ".join(sampler(tmp_path, model=str(tmp_path)).command(1))
    assert options.startswith("vllm serve owner/base --enable-lora")
    assert f"--lora-modules served={tmp_path} --max-lora-rank 32" in options
    assert "--revision abc" in options


def test_a_server_that_does_not_start_is_told_of_with_its_last_words(tmp_path, installed):
    installed(dies="torch.OutOfMemoryError: CUDA out of memory")
    with pytest.raises(UserError) as caught:
        ask(sampler(tmp_path))
    assert caught.value.message == "vllm ended with exit code 3: torch.OutOfMemoryError: CUDA out of memory"
    assert caught.value.where == str(tmp_path / "vllm.log")


def test_a_server_that_starts_for_too_long_is_stopped(tmp_path, installed):
    home = installed(start_s=300)
    with pytest.raises(UserError, match="does not answer after 2 s"):
        ask(sampler(tmp_path, start_timeout_s=2))
    assert not any(map(fake_vllm.is_alive, fake_vllm.processes(home)))


def test_without_vllm_the_check_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        sampler(tmp_path).check()
    assert caught.value.hint == "pip install vllm"


def test_its_options_tell_its_answers_from_others(tmp_path):
    plain, small = sampler(tmp_path), sampler(tmp_path, serve={"quantization": "fp8"})
    assert plain.identity == "owner/name"
    assert small.identity != plain.identity


KILLED = """
import asyncio, sys
from cotdistill.client.concurrency import SendGate
from cotdistill.registry import make

async def main():
    async with make("samplers", "vllm", model="owner/name", log="vllm.log").session(SendGate()):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "ignores_term"), [(signal.SIGKILL, True), (signal.SIGTERM, False)])
def test_it_ends_with_the_run_however_that_ends(tmp_path, repository, installed, number, ignores_term):
    home = installed(ignores_term=ignores_term)
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "ready\n"
    assert all(map(fake_vllm.is_alive, fake_vllm.processes(home)))
    run.send_signal(number)
    run.wait()
    wait_for(lambda: not any(map(fake_vllm.is_alive, fake_vllm.processes(home))))
