"""Clients to be measured, each in a process of its own: `python -m tests.bench.sampling_clients NAME URL JSON`.

A client prints {"wall_s": …, "cpu_s": …, "rss_mib": […]}: of the asking alone, imports not included.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BODY: dict[str, Any] = {"model": "r1", "messages": [{"role": "user", "content": "How many clips?"}]}


TOKENIZERS = "lib/python{}.{}/site-packages/litellm/litellm_core_utils/tokenizers".format(*sys.version_info)


class Clock:
    """Wall and CPU seconds of this process since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def report(self, rss_mib: list[float] | None = None) -> None:
        spent = {"wall_s": time.monotonic() - self.wall, "cpu_s": time.process_time() - self.cpu}
        print(json.dumps({**spent, "rss_mib": rss_mib or [rss_now_mib()]}))


def rss_now_mib() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def stage(url: str, *, requests: int, concurrency: int, stream: bool = True, every: int = 10_000) -> None:
    """The `sample` stage: requests by key, ledger with a sync per answer, rows."""
    import aiohttp  # noqa: F401

    from cotdistill.records import Problem
    from cotdistill.registry import make
    from cotdistill.stage import Workspace
    from cotdistill.stages import stages
    from cotdistill.stages.sample import SampleOptions

    rss: list[float] = []

    @contextmanager
    def progress(title: str, *, total: int, unit: str) -> Iterator[Callable[..., None]]:
        done = 0

        def advance(step: int = 1, /, **_: object) -> None:
            nonlocal done
            done += step
            if step and done % every == 0:
                rss.append(rss_now_mib())

        yield advance

    teacher = make("samplers", "endpoint", base_url=url, model="r1", stream=stream)
    problems = (Problem(id=f"p{n}", question=f"Question {n}: how many clips?", gold="72") for n in range(requests))
    with tempfile.TemporaryDirectory() as folder:
        work = Workspace(Path(folder), Path(folder), 1, progress)
        clock = Clock()
        options = SampleOptions(concurrency=concurrency)
        assert sum(1 for _ in stages()["sample"].function(problems, options, work, teacher=teacher)) == requests
        clock.report([*rss, rss_now_mib()])


def client(url: str, *, requests: int, concurrency: int, stream: bool = True) -> None:
    """`Client.complete` alone."""
    from cotdistill.client.client import Client, EndpointOptions

    async def main() -> None:
        async with Client(EndpointOptions(base_url=url, stream=stream)) as ours:
            await many(lambda: ours.complete(BODY), requests, concurrency)

    asyncio.run(main())


def reader(url: str, *, requests: int, concurrency: int, stream: bool = True) -> None:
    """Nothing but aiohttp: the body is received and thrown away."""
    import aiohttp

    body = {**BODY, "stream": stream}

    async def main() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def ask() -> None:
                async with session.post(f"{url}/chat/completions", json=body) as reply:
                    async for _ in reply.content.iter_any():
                        pass

            await many(ask, requests, concurrency)

    asyncio.run(main())


def sdk(url: str, *, requests: int, concurrency: int, stream: bool = True) -> None:
    """The openai package as its README shows it."""
    import openai

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as package:

            async def ask() -> None:
                if stream:
                    async for _ in await package.chat.completions.create(**BODY, stream=True):
                        pass
                else:
                    await package.chat.completions.create(**BODY)

            await many(ask, requests, concurrency)

    asyncio.run(main())


async def many(ask: Callable[[], Awaitable[object]], requests: int, concurrency: int) -> None:
    """Ask once to warm up, then all, with so many in flight; print what it took."""
    await asyncio.gather(*(ask() for _ in range(min(concurrency, 4))))
    numbers = iter(range(requests))

    async def work() -> None:
        for _ in numbers:
            await ask()

    clock = Clock()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    clock.report()


def threads(url: str, *, requests: int, concurrency: int) -> None:
    """The loop that tutorials show: a pool of threads, answers in a list, a file at the end."""
    import openai

    package = openai.OpenAI(base_url=url, api_key="none")

    def ask(number: int) -> str:
        content = f"Question {number}: how many clips?"
        reply = package.chat.completions.create(model="r1", messages=[{"role": "user", "content": content}])
        return reply.choices[0].message.content or ""

    clock = Clock()
    with ThreadPoolExecutor(concurrency) as pool:
        answers = list(pool.map(ask, range(requests)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "answers.json").write_text(json.dumps(answers))
    clock.report()


def curator(url: str, *, requests: int, concurrency: int) -> None:
    """bespokelabs-curator with its limits per minute out of the way; its own cache and network calls are off."""
    folder = tempfile.mkdtemp()
    os.environ.update(CURATOR_CACHE_DIR=folder, TELEMETRY_ENABLED="false", OPENAI_API_KEY="none")
    from bespokelabs import curator as package  # type: ignore[import-not-found]  # in an environment of its own

    # litellm, which curator installs, holds the vocabulary that tiktoken would fetch.
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(sys.prefix, TOKENIZERS))

    llm = package.LLM(
        model_name="r1",
        backend="openai",
        backend_params={
            "base_url": url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": 10**7,
            "max_tokens_per_minute": 10**10,
        },
    )
    clock = Clock()
    answers = llm([f"Question {number}: how many clips?" for number in range(requests)])
    clock.report()
    assert len(getattr(answers, "dataset", answers)) == requests
    shutil.rmtree(folder)


CLIENTS: dict[str, Callable[..., None]] = {
    "stage": stage,
    "client": client,
    "reader": reader,
    "sdk": sdk,
    "threads": threads,
    "curator": curator,
}

if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    CLIENTS[sys.argv[1]](sys.argv[2], **json.loads(sys.argv[3]))
