"""Answers of a model on this machine by the sampler `local`, beside lm-evaluation-harness's hf backend.

Both answer the same prompts with the same weights and threads, in turn; the model (see tests/support/countdown.py)
gives every answer a length that is drawn once, spread as the worked answers of GSM8K are. What is compared with runs
at the best of several batch sizes, the sampler at its default.
"""

import itertools
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cotdistill.records import Message, Problem, Sampling
from cotdistill.registry import make
from cotdistill.samplers import Draw, Request, SendGate
from cotdistill.sampling.pool import PoolOptions, run_jobs, single_request
from cotdistill.storage.ledger import Ledger
from tests.bench.command import Row
from tests.support.countdown import MADE_WORDS, make_countdown

PROBLEMS = 200
LONGEST = 512
MEDIAN_TOKENS, SPREAD = 115, 0.43
"""Of GSM8K's 1,319 worked answers in Qwen2.5's tokens: median, and standard deviation of the logarithm."""
BATCH_SIZES = (4, 8, 16, 32, 64)
TURNS = 3


def measure(problems: Path | None, tokenizer: Path | None, lmeval: Path | None) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chain = make_countdown(folder, longest=LONGEST, tokenizer=tokenizer)
        lengths = _lengths()
        prompts = [f"{text} {chain[k]}" for text, k in zip(_questions(problems), lengths, strict=False)]
        (folder / "prompts.json").write_text(json.dumps(prompts))
        package, python = ("transformers", sys.executable) if lmeval is None else ("lm_eval", str(lmeval.absolute()))
        if lmeval is None:
            print("lm-eval is compared with where --lmeval names the python that has it", file=sys.stderr)
        model = str(folder / "model")
        tried = {size: _other(package, python, folder, size, lengths) for size in BATCH_SIZES}
        best = min(tried, key=lambda size: tried[size])
        ours, others = [], [tried[best]]
        for turn in range(TURNS):
            ours.append(_ours(model, prompts, folder / f"ledger{turn}.jsonl", lengths))
            others.append(_other(package, python, folder, best, lengths))
    total = sum(lengths)
    pairs = [(after + before) / 2 / own for own, before, after in zip(ours, others, others[1:], strict=False)]
    ratios = ", ".join(f"{ratio:.2f}" for ratio in pairs)
    speeds = ", ".join(f"{size}: {total / seconds:.0f}" for size, seconds in tried.items())
    name = f"{package}, {best} at a time"
    return [
        Row("local: generated tokens", total / min(ours), "tokens/s", f"{PROBLEMS} answers, {total:,} tokens"),
        Row(name, total / min(others), "tokens/s", f"by batch size {speeds}"),
        Row("local beside it", statistics.median(pairs), "x", f"the median of {ratios}, each beside its neighbours"),
    ]


def _lengths() -> list[int]:
    drawn = random.Random(7)
    return [
        min(LONGEST, max(2, round(math.exp(drawn.gauss(math.log(MEDIAN_TOKENS), SPREAD))))) for _ in range(PROBLEMS)
    ]


def _questions(path: Path | None) -> Iterator[str]:
    """Yield the questions of a file of {question}, else made ones of like length."""
    if path is not None:
        rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        return (row["question"] for row in itertools.islice(rows, PROBLEMS))
    drawn = random.Random(8)
    return (" ".join(drawn.choice(MADE_WORDS) for _ in range(drawn.randint(25, 110))) for _ in range(PROBLEMS))


class _Timed:
    """A sampler that remembers when its weights were loaded."""

    def __init__(self, sampler: Any) -> None:  # Any: a samplers.Sampler
        self._sampler = sampler
        self.loaded = 0.0

    def __getattr__(self, name: str) -> Any:  # Any: whatever the sampler has
        return getattr(self._sampler, name)

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:
        async with self._sampler.session(gate) as draw:
            self.loaded = time.perf_counter()
            yield draw


def _ours(model: str, prompts: list[str], path: Path, lengths: list[int]) -> float:
    """Return the seconds from loaded weights to the last answer on disk."""
    sampler = _Timed(make("samplers", "local", model=model))
    sampling = Sampling(max_tokens=LONGEST, temperature=0)
    requests = [
        Request(Problem(id=str(n), question=prompt), (Message(role="user", content=prompt),), sampling, 0)
        for n, prompt in enumerate(prompts)
    ]
    found: dict[str, int] = {}
    with Ledger(path) as ledger:
        options = PoolOptions(
            concurrency=len(requests),
            on_answer=lambda e: found.update({e.problem_id: e.response["usage"]["completion_tokens"]}),
        )
        run_jobs(sampler, map(single_request, requests), ledger, identity="model", options=options)  # type: ignore[arg-type]
        seconds = time.perf_counter() - sampler.loaded
    assert [found[str(n)] for n in range(len(prompts))] == lengths
    return seconds


def _other(package: str, python: str, folder: Path, size: int, lengths: list[int]) -> float:
    """Return the seconds that another package takes at a batch size."""
    script = Path(__file__).with_name("other_generation.py")
    command = [python, str(script), package, str(folder / "model"), str(folder / "prompts.json"), str(size)]
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count())
    done = subprocess.run(
        [*command, str(LONGEST)],
        env=os.environ | {"OMP_NUM_THREADS": threads},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["tokens"] == lengths, "it does not generate what the sampler does"
    print(
        f"{package} {found['version']}, {size} at a time: {sum(lengths) / found['seconds']:.0f} tokens/s",
        file=sys.stderr,
    )
    return float(found["seconds"])
