"""What is not on this machine, asked before anything is paid for: the models of servers, and students of hubs.

Each is asked once and for nothing: a server for its list of models, a hub for the head of a config.json.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from cotdistill.client.models import ServerReport
from cotdistill.client.retries import NothingAnswered
from cotdistill.errors import TryAgainLater, UserError
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.recipe.plan import Plan, Step
from cotdistill.recipe.roles import NO_KINDS
from cotdistill.records import Checkpoint, Record
from cotdistill.registry import KindOptions
from cotdistill.yamlfile import Loc

R = TypeVar("R", bound=Record)

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8

Patience = Literal["refuse", "warn", "ignore"]
"""What a server that does not answer yet is: a fault, or one that the work itself will wait for."""


class Note(NamedTuple):
    """What a server or a hub said, for people."""

    key: str
    """Of the recipe, as `teacher`."""
    text: str


@dataclass(frozen=True)
class _Question:
    """A server or a hub to ask."""

    loc: Loc
    """Where the recipe names it."""
    options: KindOptions
    arm: str
    step: Step
    is_student: bool
    """Whether it has weights of this run, which it may be given later."""

    def ask(self) -> list[ServerReport]:
        """Return what it says. Raises: UserError."""
        built = self.options.build()
        if self.loc == ("student",):
            found = built.find()
            return [ServerReport(f"`{built.model}` is {found}")] if found else []
        reports: list[ServerReport] = built.ask_servers(self.arm)
        return reports


class RemoteChecks:
    """The questions of a recipe's steps to servers and hubs."""

    def __init__(self, inputs: RunInputs, plan: Plan) -> None:
        self.inputs = inputs
        self.plan = plan
        self.notes: dict[Note, None] = {}
        """What was said and is no fault, in order."""

    def faults(self, steps: Iterable[Step], patience: Patience) -> list[UserError]:
        """Return what is wrong with the servers and hubs of these steps, all asked at the same time."""
        questions = list(self._questions(steps))
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            answers = list(pool.map(self._asked, questions))
        found = [f for q, a in zip(questions, answers, strict=True) for f in self._judged(q, a, patience)]
        return list({str(fault): fault for fault in found}.values())

    def watched(self, step: Step, rows: Iterator[R]) -> Iterator[R]:
        """Yield the rows of a stage. Raises: what it raises; of a server that refused all, what is wrong there."""
        try:
            yield from rows
        except NothingAnswered as error:
            raise self._explain(error, step) from None

    def _explain(self, error: UserError, step: Step) -> UserError:
        """Return the error of a server that refused every request, placed at the option that is wrong."""
        for question in self._questions([step]):
            if question.loc == ("student",):
                continue
            answer = self._asked(question)
            for report in () if isinstance(answer, UserError) else answer:
                if report.fault is not None:
                    option, fault = report.fault
                    text = f"{error.message}; {fault.message}"
                    return type(fault)(text, self._where(question, option), fault.hint)
                return UserError(error.message, self._where(question, "model"), "see to `model` and `base_url`")
        return error

    def _questions(self, steps: Iterable[Step]) -> Iterator[_Question]:
        """Yield a question for each server and hub, once."""
        asked: set[str] = set()
        for step in steps:
            for question in self._of_step(step):
                said = f"{question.options.model_dump_json()} {question.arm if question.is_student else ''}"
                if said not in asked:
                    asked.add(said)
                    yield question

    def _of_step(self, step: Step) -> Iterator[_Question]:
        arm, sampler = self.plan.arm_of(step), getattr(step.options, "sampler", None)
        # Behind a server of the user's own the weights lie elsewhere: nothing of this package loads them.
        is_elsewhere = isinstance(sampler, KindOptions) and not getattr(sampler.of_kind.target, "packages", True)
        for role in step.uses:
            options = step.recipe.role(role) if role not in NO_KINDS else None
            if options is None:
                continue
            # A student that is trained before is asked by what its training leaves.
            is_needed = role != "student" or step.stage.writes is Checkpoint or not (step.upstream or is_elsewhere)
            if is_needed and hasattr(options.of_kind.target, "find" if role == "student" else "ask_servers"):
                yield _Question((role,), options, arm, step, is_student=False)
        if isinstance(sampler, KindOptions) and not step.asks_teacher:
            yield _Question((step.stage.name, "sampler"), sampler, arm, step, is_student=True)

    def _asked(self, question: _Question) -> Sequence[ServerReport] | UserError:
        try:
            return question.ask()
        except UserError as error:
            return error

    def _judged(
        self, question: _Question, answer: Sequence[ServerReport] | UserError, patience: Patience
    ) -> Iterator[UserError]:
        """Yield the faults of an answer, and note the rest."""
        if isinstance(answer, UserError):
            # What a kind's own `check` says is said there.
            if question.loc == ("student",):
                yield self.inputs.placed(answer, question.loc, question.step.recipe)
            return
        is_any_well = any(report.fault is None for report in answer)
        for report in answer:
            if report.fault is None:
                if report.is_silent and patience == "warn":
                    log.warning("%s", report.note)
                self.notes[Note(".".join(map(str, question.loc)), report.note)] = None
                continue
            option, fault = report.fault
            placed = type(fault)(fault.message, self._where(question, option), fault.hint)
            may_wait = isinstance(fault, TryAgainLater) and (patience != "refuse" or question.is_student)
            is_not_served_yet = question.is_student and option == "model"
            if not (is_any_well or may_wait or is_not_served_yet):
                yield placed
            elif patience != "ignore":
                log.warning("%s", placed)

    def _where(self, question: _Question, option: str) -> str:
        keys = (int(key) if key.isdecimal() else key for key in option.split("."))
        return self.inputs.recipe.source_of(question.step.recipe).where((*question.loc, *keys))
