"""vllm: a model that vLLM serves on this machine; the server starts with the stage and ends with it.

teacher: {kind: vllm, model: deepseek-ai/DeepSeek-R1-Distill-Qwen-7B, serve: {tensor_parallel_size: 2}}
"""

import asyncio
import contextlib
import functools
import http.client
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cotdistill import adapters
from cotdistill.errors import TryAgainLater, UserError
from cotdistill.records import Sampling
from cotdistill.registry import NOT_IN_KEY, kind
from cotdistill.samplers import Draw, Reply, Request, SendGate, SingleCall
from cotdistill.samplers.endpoint import Endpoint
from cotdistill.storage.keys import weights_fingerprint
from cotdistill.storage.origin import Origin

log = logging.getLogger(__name__)

NAME = "served"
"""The model's name at the server, whatever its folder is called."""
HOST = "127.0.0.1"
POLL_S = 0.5
STOP_S = 15.0
"""A server that has not ended after this long is killed; `_with_parent` has tried for ten seconds by then."""
OUTAGE_S = 30.0
"""A server of this machine that does not answer for so long has ended."""
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `vllm serve --max-lora-rank` takes."""
_WITH_PARENT = Path(__file__).with_name("_with_parent.py")

ServeOptions = Mapping[str, str | int | float | bool]


@kind
@dataclass(frozen=True, kw_only=True)
class Vllm(SingleCall):
    """A model on this machine, served by vLLM, which must be installed.

    Options:
        model: folder as `save_pretrained` writes it, a LoRA adapter's included, or hub name.
        serve: options of `vllm serve`, as {tensor_parallel_size: 2, max_model_len: 8192}; `true` is a flag alone
        start_timeout_s: seconds until the server answers; it reads the weights and compiles first
        log: file of what the server says
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

    model: Annotated[str, Field(min_length=1)]
    serve: ServeOptions | None = None
    start_timeout_s: Annotated[float, Field(gt=0), NOT_IN_KEY] = 1800.0
    log: Annotated[Path, NOT_IN_KEY] = Path("vllm.log")
    revision: Annotated[str | None, Field(min_length=1)] = None
    trust_remote_code: Annotated[bool, NOT_IN_KEY] = False

    @property
    def origin(self) -> Origin:
        """What of the model's repository is read."""
        return Origin(self.revision, self.trust_remote_code)

    @functools.cached_property
    def identity(self) -> str:
        """The hub name, or what tells the weights in a folder from others; and the server's options."""
        folder = Path(self.model)
        name = weights_fingerprint(folder) if folder.is_dir() else self.origin.named(self.model)
        return f"{name} {json.dumps(dict(self.serve), sort_keys=True)}" if self.serve else name

    def check(self) -> None:
        """Return if vLLM is there, and the model's code may run. Raises: UserError."""
        check_installed()
        self.origin.check_revision(self.model)
        self.origin.check_code(self.model)

    def effective(self, sampling: Sampling, /) -> Sampling:
        """Return the sampling options: vLLM takes them all."""
        return sampling

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:
        """Start the server, and stop it and all that it started, however the session ends.

        Raises: UserError where it does not start.
        """
        check_installed()
        port = _free_port()
        with self._serving(port) as process:
            await self._wait_until_ready(process, port)
            endpoint = Endpoint(model=NAME, base_url=f"http://{HOST}:{port}/v1", max_outage_s=OUTAGE_S)
            async with endpoint.session(gate) as draw:
                yield functools.partial(self._draw, process, draw)

    async def _draw(self, process: "subprocess.Popen[bytes]", draw: Draw, request: Request) -> Reply:
        try:
            return await draw(request)
        except TryAgainLater as error:
            if process.poll() is None:
                raise
            raise TryAgainLater(*self._ended(process)) from error

    def command(self, port: int) -> list[str]:
        """Return the command that serves the model."""
        model, revision = self.model, self.revision
        options: dict[str, str | int | float | bool] = {"served_model_name": NAME}
        if adapters.is_adapter(Path(model)):
            base = adapters.base_of(Path(model))
            options = {
                "enable_lora": True,
                "lora_modules": f"{NAME}={model}",
                "max_lora_rank": _lora_rank(Path(model)),
            }
            model, revision = base.model, base.revision
        # The checkpoint's own temperature or repetition penalty is no part of what the recipe asks for.
        options |= {
            "host": HOST,
            "port": port,
            "generation_config": "vllm",
            "trust_remote_code": self.trust_remote_code,
        }
        if revision is not None:
            options["revision"] = revision
        return ["vllm", "serve", model, *_arguments(options | dict(self.serve or {}))]

    @contextlib.contextmanager
    def _serving(self, port: int) -> Iterator["subprocess.Popen[bytes]"]:
        """Start the server; end it, and whatever it has started, with the block or with this process."""
        command = self.command(port)
        log.info("starts %s; it says more in %s", " ".join(command), self.log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-P", str(_WITH_PARENT), *command],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for the run, which still takes in what it has asked for
            )
        try:
            yield process
        finally:
            _stop(process)

    async def _wait_until_ready(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        """Return once the server answers. Raises: UserError."""
        start = time.monotonic()
        while not await asyncio.to_thread(_is_healthy, port):
            if process.poll() is not None:
                raise UserError(*self._ended(process))
            if time.monotonic() - start > self.start_timeout_s:
                raise UserError(
                    f"vllm does not answer after {self.start_timeout_s:g} s", str(self.log), "raise `start_timeout_s`"
                )
            await asyncio.sleep(POLL_S)
        log.info("vllm answers after %.0f s", time.monotonic() - start)

    def _ended(self, process: "subprocess.Popen[bytes]") -> tuple[str, str]:
        """Return what is said of a server that has ended, and where more stands."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"vllm ended with exit code {process.returncode}: {last[:300]}", str(self.log)


def check_installed() -> None:
    """Return if there is a command `vllm`. Raises: UserError."""
    if shutil.which("vllm") is None:
        raise UserError("there is no command `vllm`", hint="pip install vllm")


def _arguments(options: Mapping[str, str | int | float | bool]) -> Iterator[str]:
    for name, value in options.items():
        if value is not False:
            yield f"--{name.replace('_', '-')}"
            yield from () if value is True else (str(value),)


def _lora_rank(folder: Path) -> int:
    """Return the smallest rank that vLLM can be set to and that holds the adapter."""
    rank = json.loads((folder / adapters.CONFIG).read_text(encoding="utf-8")).get("r", LORA_RANKS[0])
    return next((known for known in LORA_RANKS if known >= rank), rank)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
