"""What a report shows, as plain values: no file, no layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from cotdistill.filters import REASON_ORDER
from cotdistill.records import ArmKind, Score
from cotdistill.report.book_values import Books
from cotdistill.report.scores import Comparison, Pair, Scores
from cotdistill.report.tally import Tally

BASELINE = "baseline"
"""Name of the arm that is the untrained student."""

JsonRow = dict[str, Any]  # Any: a JSON value

Number = TypeVar("Number", int, float)


class Fact(NamedTuple):
    """Something to know about a run, for its header."""

    label: str
    value: str
    note: str = ""
    """Beside the value, smaller."""


class Spent(NamedTuple):
    """What the models behind an endpoint were paid for."""

    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    """None where no prices are known."""
    judge_tokens: int = 0
    """Of the output tokens, those of a judge."""


NOTHING_SPENT = Spent()


class Flip(NamedTuple):
    """A question that one of two arms answers right."""

    kind: Literal["gained", "lost"]
    answer: Score
    """The arm's; of several attempts one that is as most of them are."""
    other: Score


@dataclass(frozen=True, kw_only=True)
class Flipped:
    """What an arm answers right and another does not, and the other way round."""

    arm: str
    against: str
    gained: int
    lost: int
    flips: tuple[Flip, ...]
    """The first of each kind."""

    def of_kind(self, kind: str) -> tuple[Flip, ...]:
        """Return those that were gained, or lost."""
        return tuple(flip for flip in self.flips if flip.kind == kind)


class DroppedRow(NamedTuple):
    """A row that a stage dropped."""

    reason: str
    """What was found and where the limit is."""
    question: str
    gold: str | None
    reasoning: str
    text: str


class Drop(NamedTuple):
    """A step of the filter's waterfall: the rows that one kind of reason took."""

    reason: str
    rows: int
    left: int
    """Rows that are left below it."""


@dataclass(frozen=True, kw_only=True)
class StageReport:
    """One stage folder; arms that share it hold the same object."""

    name: str
    folder: str
    """Relative to the run's folder."""
    is_finished: bool
    rows_in: int | None = None
    rows_out: int | None = None
    rejected: int | None = None
    reasons: Mapping[str, int]
    """Rejected rows by kind, most frequent first."""
    seconds: float | None = None
    files: tuple[str, ...] = ()
    """Names of what it left."""
    dropped: Mapping[str, tuple[DroppedRow, ...]] = field(default_factory=dict)
    """A few of the rejected rows by kind."""
    stopped: str = ""
    """Why a training stopped by itself and kept its last good checkpoint; empty: it did not."""

    @property
    def waterfall(self) -> tuple[Drop, ...]:
        """What each kind of reason took from the rows that the ones before it had left, in the order asked."""
        left, drops = self.rows_in or 0, []
        known = [reason for reason in REASON_ORDER if reason in self.reasons]
        for reason in (*known, *(reason for reason in self.reasons if reason not in REASON_ORDER)):
            left -= self.reasons[reason]
            drops.append(Drop(reason, self.reasons[reason], left))
        return tuple(drops)


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long each kept row is."""

    unit: str
    """`tokens`, or `characters` where the server did not count tokens."""
    values: tuple[int, ...]


class LossPoint(NamedTuple):
    """Training loss at an optimiser step."""

    step: int
    loss: float


class PointReport(NamedTuple):
    """How good a student was at a step of its training."""

    step: int
    tasks: Mapping[str, Tally]


def known_sum(numbers: Iterable[Number | None]) -> Number | None:
    """Return the sum of all; None where one is not known yet."""
    found = list(numbers)
    known = [number for number in found if number is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(found) else None


class FunnelStep(NamedTuple):
    """Rows that got as far as this."""

    label: str
    rows: int | None
    """None: that stage is not finished."""


@dataclass(frozen=True, kw_only=True)
class ArmReport:
    """One variant of the run."""

    name: str
    kind: ArmKind = "trained"
    baseline: str | None = None
    """Name of the row of the same student before its training; None where there is none, or no run says which it is."""
    of: str | None = None
    """The recipe's arm that is trained with several seeds, of which this is one."""
    seed: int | None = None
    """The one of this training."""
    overrides: tuple[str, ...] | None = None
    """What it changes of the recipe, `filter.keep: correct -> all`; None where no recipe of it is known."""
    stages: Mapping[str, StageReport]
    """Stage -> its report; of several rounds the last."""
    earlier: tuple[Mapping[str, StageReport], ...] = ()
    """Those of each round but the last."""
    scores: Scores | None
    """None: not evaluated, or not yet."""
    to_baseline: Comparison | None = None
    to_first: Comparison | None = None
    """None for the first arm itself, and where the first arm is the baseline."""
    lengths: Lengths | None = None
    loss: tuple[LossPoint, ...] = ()
    reward: tuple[LossPoint, ...] = ()
    """Share of its own answers that were right, by step of a training on them by the verifier's verdicts."""
    divergence: tuple[LossPoint, ...] = ()
    """From its scorer, by step of a training on own answers by the scorer's probabilities."""
    points: tuple[PointReport, ...] = ()
    """On its way and at its end; empty where it was asked at the end alone."""

    @property
    def is_untrained(self) -> bool:
        """Whether it is a student before its training, to compare others with."""
        return self.kind == "baseline" or self.name == BASELINE

    @property
    def funnel(self) -> tuple[FunnelStep, ...]:
        """Asked and answered in all rounds, kept and trained in the last; empty for an arm that is only evaluated."""
        samples = [stages["sample"] for stages in self.chains if "sample" in stages]
        found = []
        if samples:
            found.append(FunnelStep("asked", known_sum(report.rows_in for report in samples)))
            found.append(FunnelStep("answered", known_sum(report.rows_out for report in samples)))
        for label, stage in (("kept", "filter"), ("trained", "train")):
            if stage in self.stages:
                found.append(FunnelStep(label, self.stages[stage].rows_out))
        return tuple(found)

    @property
    def chains(self) -> tuple[Mapping[str, StageReport], ...]:
        """Stage -> its report for each round, in order."""
        return (*self.earlier, self.stages)

    @property
    def trained_rows(self) -> int | None:
        """Conversations that the student learned from; None where nothing was trained."""
        return self.stages["train"].rows_out if "train" in self.stages else None

    @property
    def filtered(self) -> StageReport | None:
        """The filter that chose its rows; None where it has none, or it is not finished."""
        found = self.stages.get("filter")
        return found if found is not None and found.is_finished else None


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """A run."""

    name: str
    created: str
    """When its first stage started, UTC, ISO 8601; empty where none is finished."""
    ended: str = ""
    """When its last stage ended, as `created`; empty while one is not finished."""
    roles: Mapping[str, str]
    """Role -> its kind and model, in a few words: teacher, verifier, student."""
    facts: tuple[Fact, ...] = ()
    """What it cost and how the students were trained, as far as it is known."""
    spent: Spent = NOTHING_SPENT
    recipe: str = ""
    """As its user wrote it."""
    command: str = ""
    """What makes the run again."""
    files: tuple[str, ...] = ()
    """Names of what the run's folder holds beside its stages."""
    versions: Mapping[str, str]
    arms: tuple[ArmReport, ...]
    pairs: tuple[Pair, ...] = ()
    """Every two arms that were asked the same problems."""
    books: Books = field(default_factory=Books)
    flips: tuple[Flipped, ...] = ()
    """Of each comparison with a baseline and with the first arm."""

    @property
    def baseline(self) -> str | None:
        """Name of the arm that the others are compared with."""
        return next((arm.to_baseline.against for arm in self.arms if arm.to_baseline), None)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the arms that others are compared with, each once."""
        return tuple(dict.fromkeys(arm.to_baseline.against for arm in self.arms if arm.to_baseline))

    @property
    def first(self) -> str | None:
        """Name of the first arm where the others are compared with it as well."""
        return next((arm.to_first.against for arm in self.arms if arm.to_first), None)

    @property
    def variants(self) -> tuple[tuple[str, tuple[ArmReport, ...]], ...]:
        """Every arm of the recipe once, with its trainings: several where it has several seeds."""
        found: dict[str, list[ArmReport]] = {}
        for arm in self.arms:
            found.setdefault(arm.of or arm.name, []).append(arm)
        return tuple((name, tuple(arms)) for name, arms in found.items())

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of all tasks that any arm was asked."""
        names = (task for arm in self.arms if arm.scores for task in arm.scores.tasks)
        return tuple(dict.fromkeys(names))

    @property
    def filters(self) -> tuple[tuple[StageReport, tuple[str, ...]], ...]:
        """Every finished filter once, with the names of the arms that use it."""
        return tuple((stage, arms) for stage, arms in self.stages if stage.name == "filter" and stage.is_finished)

    @property
    def stages(self) -> tuple[tuple[StageReport, tuple[str, ...]], ...]:
        """Every stage folder once, with the names of the arms that use it."""
        users: dict[str, list[str]] = {}
        reports: dict[str, StageReport] = {}
        for arm in self.arms:
            for report in (report for stages in arm.chains for report in stages.values()):
                reports[report.folder] = report
                users.setdefault(report.folder, []).append(arm.name)
        return tuple((report, tuple(users[folder])) for folder, report in reports.items())
