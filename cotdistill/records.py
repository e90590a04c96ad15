"""The rows that stages hand to each other: plain values, frozen, no unknown fields.

A row of `1-sample/rows.jsonl` (a Trace):

    {"problem": {"id": "p1", "question": "…", "gold": "72"},
     "completion": {"key": "9f…", "index": 0, "text": "… 72", "reasoning": "…", "status": "ok", …},
     "verdict": null}
"""

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A frozen row; an unknown field is an error, not a loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Problem(Record):
    """A question and its gold answer."""

    id: str
    question: str
    gold: str | None = None
    """The final answer alone; None where the source has none."""
    choices: tuple[str, ...] = ()
    """Texts of the options A, B, C … of a multiple-choice question; gold is then a letter."""
    group: str = ""
    """What a task's results are told apart by: a language, a subject."""
    solution: str = ""
    """The worked answer that gold was taken from, as in GSM8K; empty where the source has the final answer alone."""
    context: tuple[Message, ...] = ()
    """What stands before the question: a system prompt, earlier questions with their answers."""


class Prompt(Record):
    """A question that is asked for the sake of the answer alone: no gold is needed."""

    dataset: str
    """Name of its set."""
    problem: Problem

    def named(self) -> Problem:
        """Return the question with the name of its set before its id, and as its group."""
        update = {"id": f"{self.dataset}/{self.problem.id}", "group": self.dataset, "gold": None}
        return self.problem.model_copy(update=update)


class Sampling(Record):
    """Options that change the distribution that completions are drawn from. None: left to the server."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    """Texts at which the completion ends."""
    top_logprobs: int | None = None
    """Alternatives to record with each token, with their log-probabilities."""
    num_beams: int | None = None
    """Beginnings kept while the most probable answer is searched for; a model on this machine alone searches."""


class Usage(Record):
    """Tokens as the server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


CompletionStatus = Literal["ok", "truncated", "empty_reasoning", "empty_answer", "refusal", "content_filter"]


ArmKind = Literal["trained", "untrained", "baseline", "teacher"]
"""What answers an arm's exam: a student that learned, one that an arm leaves as it is, one to compare with, a teacher.
"""


class Completion(Record):
    """What a model returned for one prompt, thinking and text apart."""

    key: str
    """Identity of the request: see `completion_key`."""
    index: int
    """Which of the samples of this request, from 0."""
    text: str
    """What follows the thinking."""
    reasoning: str = ""
    """The rationale: what the model thought before it answered."""
    status: CompletionStatus = "ok"
    finish_reason: str = "stop"
    model: str = ""
    """The model's name as the server returned it."""
    fingerprint: str = ""
    """The server's `system_fingerprint`: another one may be other weights."""
    usage: Usage = Usage()
    latency_s: float = 0.0
    first_content_s: float | None = None
    """Seconds to the first content; None where the answer was not streamed."""
    attempts: int = 1
    attempt_errors: tuple[str, ...] = ()
    """What went wrong before the attempt that was answered."""
    applied: dict[str, Any] = Field(default_factory=dict)  # Any: JSON values
    """Sampling options that were sent and that the server is not known to ignore."""
    is_hinted: bool = False
    """Whether the model was shown the gold answer."""


VerdictOutcome = Literal["correct", "wrong", "unparsed", "error"]


class Verdict(Record):
    """A verifier's finding. `unparsed` is not `wrong`, and `error` is the verifier's own."""

    outcome: VerdictOutcome
    extracted: str | None = None
    """The final answer that was found in the text; None where none was."""
    reason: str = ""
    """Why, in a few words, for people: `bold final`, `two finals disagree: 5, 7`."""


Origin = Literal["teacher", "student", "base"]
"""Who made an attempt: the teacher, the student on its way, or the student before any training."""


class Trace(Record):
    """One attempt at a problem, later with its verdict."""

    problem: Problem
    completion: Completion
    origin: Origin = "teacher"
    round: int = Field(1, ge=1)
    """The round of the recipe in which it was drawn."""
    verdict: Verdict | None = None
    reviewed: Literal["accepted", "rejected"] | None = None
    """What people decided about it, in a sheet of theirs; the verdict is then theirs too."""
    pass_rate: float | None = Field(None, ge=0, le=1)
    """Share of the problem's attempts that are correct: how difficult it is for the teacher. Attempts that were shown
    the answer, that the verifier failed on or that are a student's do not count; None where none does, and before
    `filter`."""

    @property
    def id(self) -> str:
        """Id of the attempt, alike in every stage: `<problem id>/<sample index>`; of a student's
        `<problem id>/student-<round>/<sample index>`."""
        whose = "" if self.origin == "teacher" else f"{self.origin}-{self.round}/"
        return f"{self.problem.id}/{whose}{self.completion.index}"


IGNORED = -100
"""Label of a token that is not supervised, as torch's cross-entropy has it."""


class Conversation(Record):
    """What the student learns from: the last message is its answer, and earlier ones of it may be learned too."""

    id: str
    """Id of the trace that it was written from, `<problem id>/<sample index>`; in a set from elsewhere what its row
    has under `id`, or the row's number."""
    messages: tuple[Message, ...] = Field(min_length=2)

    @property
    def prompt(self) -> tuple[Message, ...]:
        """Everything before the final answer."""
        return self.messages[:-1]


class Checkpoint(Record):
    """Weights that can answer: a trained student, or the base that it started from."""

    path: str
    """Folder, relative to the run, or a hub's name."""
    fingerprint: str
    """What tells these weights from others: sha256 of their files, or the hub's name."""
    rows: int = 0
    """Conversations learned from."""
    dropped: int = 0
    """Conversations left out as too long."""
    supervised_tokens: int = 0
    steps: int = 0
    answer_tokens: int = 0
    scored_tokens: int = 0
    """Tokens of its own answers, and those of them that a scorer gave probabilities for; it generates none."""
    stopped: str = ""
    """Why a training on own answers stopped by itself; empty: it did not."""


Thought = Literal["none", "closed", "unclosed", "forced"]
"""How the thinking before an answer ended: there was none, the model ended it, nobody did, the think budget did."""


class Equations(Record):
    """The equations that a rationale states, as `48 / 2 = 24`."""

    stated: int
    held: int
    """How many of them are true."""


class Score(Record):
    """One graded attempt of an evaluation."""

    task: str
    problem: Problem
    completion: Completion
    verdict: Verdict
    thought: Thought = "none"
    equations: Equations | None = None
    """None where the rationale states none."""
    language: str = ""
    """ISO 639-1 code of the language that the model thinks in; empty where it was not looked at or cannot be told."""
    learned_from: str = ""
    """Id of a training row that shares 13 words in a row with the question; empty where none does."""


FailureKind = Literal["failed", "exhausted", "unasked"]
"""Refused for good; every attempt spent; not asked, because the run stopped before."""


class Failure(Record):
    """Why a request has no answer."""

    kind: FailureKind
    reason: str
    """In words, for people: `HTTP 400: too long`."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


FilterKind = Literal[
    # What the teacher or its server did not finish.
    "truncated",
    "empty_reasoning",
    "empty_answer",
    "refusal",
    "content_filter",
    "reviewed",  # by people
    # What the verifier did not find right.
    "wrong",
    "unparsed",
    "error",
    # What the text itself gives away.
    "hint_leak",
    "refused",
    "format",
    "short_reasoning",
    "long_reasoning",
    "short_answer",
    "long_answer",
    "long_completion",
    "language",
    "repetition",
    "wrong_equations",
    "contaminated",
    # What the trace is beside others.
    "minority",
    "pass_rate",
    "duplicate",
    "near_duplicate",
    "surplus",
]
"""Why the filter drops a trace, in the order in which it asks."""

RejectionKind = Literal[
    FailureKind,
    FilterKind,
    # A style that has nothing to write, and rows of more tokens than the student takes.
    "empty",
    "overlong",
    "shortened",
]
"""Why a row is dropped (or `shortened`): what manifests and the report count."""


class Rejected(Record):
    """A row that a stage did not pass on, and why; kept on disk beside the ones that it did.

    {"kind": "wrong", "reason": "found 70, gold 72; bold final", "row": {…}}
    """

    kind: RejectionKind
    reason: str
    """In words, for people: what was found and where the limit is."""
    row: Problem | Trace | Conversation


def problem_id(question: str) -> str:
    """Return a stable id for a question that came without one: 16 hex digits of its sha256."""
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:16]
