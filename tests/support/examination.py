"""A stage `evaluate` whose student is a server on a real socket that answers by what it is asked."""

import json
from dataclasses import dataclass, field

from cotdistill.data.task import Task
from cotdistill.records import Checkpoint, Completion, Problem, Trace, Verdict
from cotdistill.registry import kinds, make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.evaluate import EvaluateOptions
from tests.support.fault_server import FaultServer, kept_open, whole

EVALUATE = stages()["evaluate"].function
CHECKPOINT = Checkpoint(path="owner/base", fingerprint="owner/base")
STUDENT = kinds("students")["full"].options.model_validate({"kind": "full", "model": "owner/base"})


def problems(count=3):
    return [Problem(id=f"p{n}", question=f"What is {n} + 1?", gold=str(n + 1)) for n in range(count)]


def solved(number, problem_id=None):
    """A trace that answers a question of that form."""
    problem = Problem(id=problem_id or f"t{number}", question=f"What is {number} + 1?", gold=str(number + 1))
    completion = Completion(key="", index=0, text=f"It is {number + 1}.", reasoning="I count.")
    return Trace(problem=problem, completion=completion, verdict=Verdict(outcome="correct"))


def says(text, *, tokens=10, **choice):
    """A good answer of so many tokens; `finish_reason="length"` is one that was cut off."""
    row = json.loads(whole(text, reasoning="", **choice))
    row["usage"] = {"prompt_tokens": 20, "completion_tokens": tokens}
    return (kept_open(json.dumps(row).encode(), "application/json"),)


def never_closes(request):
    """A student that thinks for as long as it may, and answers `7` once its thought is closed for it."""
    if request.body["messages"][-1]["role"] == "assistant":
        return says("It is 7.")
    return says("<think>\nOr is it 8?", tokens=request.body["max_tokens"], finish_reason="length")


@dataclass
class Examination:
    """The stage in a folder, and the bodies of what it asked in all its runs."""

    folder: object
    bodies: list = field(default_factory=list)

    def run(self, answer, *, faults=None, asked=None, style="think", examples=None, sampler=None, model="m", **options):
        """Run the stage; its scores. `answer(request)` is what the server says."""
        with FaultServer(faults or {}, answer) as server:
            here = {"kind": "endpoint", "base_url": server.base_url, "model": model, "max_outage_s": 0}
            made = EvaluateOptions.model_validate({"sampler": sampler or here, **options})
            work = Workspace(self.folder, self.folder, 1, arm="filtered")
            try:
                return list(
                    EVALUATE(
                        [CHECKPOINT],
                        made,
                        work,
                        tasks={"holdout": Task("holdout", tuple(asked or problems()))},
                        style=make("styles", style),
                        verifier=make("verifiers", "numeric"),
                        student=STUDENT,
                        examples=examples,
                    )
                )
            finally:
                self.bodies += [request.body for request in server.requests]
