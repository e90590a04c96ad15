"""A stage `sample` against a server on a real socket that answers by what it is asked."""

import json
from collections import Counter
from dataclasses import dataclass, field

from cotdistill.records import Problem
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.sample import SampleOptions
from tests.support.fault_server import FaultServer, kept_open, whole

SAMPLE = stages()["sample"].function


def problems(count):
    return [Problem(id=f"p{n}", question=f"What is {n} + 1?", gold=str(n + 1)) for n in range(count)]


def reply(text="It is **1**.", *, tokens=10, **choice):
    """A good answer of so many tokens; `finish_reason="length"` is one that was cut off."""
    row = json.loads(whole(text, **choice))
    row["usage"] = {"prompt_tokens": 20, "completion_tokens": tokens}
    return (kept_open(json.dumps(row).encode(), "application/json"),)


@dataclass
class Classroom:
    """A server whose answers are made by `answer(request, turn)`, and the stage that asks it."""

    folder: object
    answer: object
    count: int = 4
    teacher: dict = field(default_factory=dict)
    verifier: str = "numeric"
    asked: Counter = field(default_factory=Counter)
    """How often each prompt was asked."""

    def __enter__(self):
        self.server = FaultServer(answer=self._answer)
        self.server.__enter__()
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def _answer(self, request):
        turn = self.asked[request.prompt]
        self.asked[request.prompt] += 1
        return self.answer(request, turn)

    @property
    def bodies(self):
        return [request.body for request in self.server.requests]

    def sample(self, *, shard=None, chosen=None, **options):
        """Run the stage; what it yields."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sampler = make("samplers", "endpoint", base_url=self.server.base_url, model="r1", stream=False, **self.teacher)
        asked = problems(self.count) if chosen is None else chosen
        work = Workspace(self.folder, self.folder, 1, shard=shard)
        verifier = make("verifiers", self.verifier)
        return list(SAMPLE(asked, SampleOptions(**options), work, teacher=sampler, verifier=verifier))

    def stored(self):
        """The ledger's rows."""
        return [json.loads(line) for line in (self.folder / "completions.jsonl").read_text().splitlines()]
