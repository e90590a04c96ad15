"""How good a verifier is, measured on labelled answers.

One case a line; `answer` and `equal` are read as `pred` and `expect`:

    {"gold": "#### 18", "pred": "**Answer: \\$18 per day.**", "expect": true}
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill import registry
from cotdistill.data.readers import JsonRow, read_rows
from cotdistill.errors import UserError, no_such_file
from cotdistill.records import Verdict
from cotdistill.registry import Kind
from cotdistill.verifiers import Verifier, cpu_s
from cotdistill.yamlfile import Source, nearest, validate

OUTCOMES = ("correct", "wrong", "unparsed", "error")


class Case(NamedTuple):
    """An answer with its gold answer and, where it was labelled, whether they agree."""

    where: str
    """`file:line`."""
    gold: str
    pred: str
    expect: bool | None


class Judged(NamedTuple):
    """A case with the verifier's verdict."""

    case: Case
    verdict: Verdict

    @property
    def is_kept(self) -> bool:
        """Whether a filter would keep the answer."""
        return self.verdict.outcome == "correct"


@dataclass
class Measurement:
    """Counts over all cases; precision and recall are of `correct`, over the labelled ones."""

    verdicts: Counter[str] = field(default_factory=Counter)
    true_kept: int = 0
    false_kept: int = 0
    true_dropped: int = 0
    seconds: float = 0.0
    """CPU time of the verifier alone."""
    disagreements: list[Judged] = field(default_factory=list)

    def add(self, judged: Judged) -> None:
        """Count one case."""
        self.verdicts[judged.verdict.outcome] += 1
        expect = judged.case.expect
        if expect is None:
            return
        self.true_kept += judged.is_kept and expect
        self.false_kept += judged.is_kept and not expect
        self.true_dropped += expect and not judged.is_kept
        if judged.is_kept != expect:
            self.disagreements.append(judged)

    @property
    def precision(self) -> float | None:
        """Share of the kept answers that are right; None where nothing labelled was kept."""
        return _share(self.true_kept, self.true_kept + self.false_kept)

    @property
    def recall(self) -> float | None:
        """Share of the right answers that are kept; None where none is labelled right."""
        return _share(self.true_kept, self.true_kept + self.true_dropped)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return _share(2 * self.true_kept, 2 * self.true_kept + self.false_kept + self.true_dropped)

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return the measurement for machines."""
        n = self.verdicts.total()
        return {
            "n": n,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "pairs_per_s": round(n / self.seconds, 1) if self.seconds else None,
            "verdicts": {outcome: self.verdicts[outcome] for outcome in OUTCOMES},
        }


def verifier_of(kind: str, options: Sequence[str] = ()) -> Verifier:
    """Return a verifier with options written `name=value`, the values read as a recipe's are.

    Raises: UserError, UserErrors: every fault at once.
    """
    known = registry.kinds("verifiers")
    if kind not in known:
        raise UserError(f"no verifier `{kind}`", "--kind", nearest(kind, list(known)))
    if kind == "judge":
        raise UserError(
            "`judge` asks the model that a recipe names in `judge:`, and here is no recipe",
            "--kind judge",
            "measure the rules that it starts with, such as --kind numeric; a run tells of its judge in judging.json",
        )
    source = Source(Path("--option"), {"kind": kind})
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.isidentifier() or name == "kind":
            raise UserError("expected NAME=VALUE", f"--option {option}", f"options of {kind}: {_names(known[kind])}")
        source.set(name, value)
        source.places[name,] = f"--option {option}"
    verifier: Verifier = validate(source, known[kind].options).build()
    return verifier


def _names(kind: Kind) -> str:
    return ", ".join(name for name in kind.options.model_fields if name != "kind") or "none"


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a JSONL file in order.

    Raises: UserError that names file, line and key.
    """
    if not path.is_file():
        raise no_such_file(path)
    where = ""
    for where, row in read_rows(path):
        expect = row.get("expect", row.get("equal"))
        if expect is not None and not isinstance(expect, bool):
            raise UserError(f"expected true or false, found {type(expect).__name__}", f"{where}: expect")
        yield Case(where, _text(row, where, "gold"), _text(row, where, "pred", "answer"), expect)
    if not where:
        raise UserError("holds no case", str(path), 'a case is a line {"gold": "72", "pred": "The answer is 72."}')


def judge_cases(cases: Iterable[Case], verifier: Verifier, measurement: Measurement) -> Iterator[Judged]:
    """Yield every case with its verdict, and count it."""
    for case in cases:
        started = cpu_s()
        verdict = verifier(case.gold, case.pred)
        measurement.seconds += cpu_s() - started
        judged = Judged(case, verdict)
        measurement.add(judged)
        yield judged


def _text(row: JsonRow, where: str, *names: str) -> str:
    found = next((name for name in names if name in row), None)
    if found is None:
        raise UserError("is missing", f"{where}: {names[0]}", f"keys here: {', '.join(row) or 'none'}")
    value = row[found]
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise UserError(f"expected text, found {type(value).__name__}", f"{where}: {found}")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
