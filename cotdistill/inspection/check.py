"""One pass over a data set that notes everything a training would stumble over."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import eq
from typing import TYPE_CHECKING

from cotdistill.data import BadRows, Dataset, Sample
from cotdistill.data.golds import Golds, SameGold, find_conflicts
from cotdistill.data.identity import identity_of
from cotdistill.errors import UserError
from cotdistill.filters.contamination import BenchmarkIndex
from cotdistill.filters.stray_tags import reason_against_tags
from cotdistill.inspection.columns import column_lines
from cotdistill.inspection.findings import SHOWN, CheckResult, Finding, Level
from cotdistill.inspection.lengths import Lengths
from cotdistill.records import Completion, Conversation, Problem, Trace
from cotdistill.styles import Style, conversation
from cotdistill.think_tags import has_empty_thought, tag_fault

if TYPE_CHECKING:
    from cotdistill.training.prepare.tokens import Encoder

BATCH_ROWS = 256
"""Rows encoded at a time: the tokenizer spreads a batch over the cores."""

BAD_ROWS = "bad rows"
TAGS = "orphan or unclosed think tags"
EMPTY = "empty reasoning"
NO_ANSWER = "no answer after the reasoning"
DUPLICATES = "duplicates"
SPECIAL = "special tokens in the question"
NO_GOLD = "rows without a gold answer"
CONFLICTS = "questions with several gold answers"
OVERLONG = "rows over cutoff_len"
UNREAD = "fields that nothing reads"
OVERLAP = "overlap with the evaluation sets"
LEVELS: dict[str, Level] = {BAD_ROWS: "fault", TAGS: "fault", OVERLAP: "fault", CONFLICTS: "fault"}
"""What spoils a student is a fault; what only wastes rows is a warning."""

COMMON_CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>")
"""Looked for where no tokenizer says which texts are control tokens."""


@dataclass(frozen=True)
class CheckContext:
    """What an examination is done with; the more there are, the more it finds."""

    style: Style
    """How traces are written for the student, to know their length."""
    style_said: str = ""
    """Its name and who chose it, for people."""
    encoder: "Encoder | None" = None
    cutoff_len: int | None = None
    benchmarks: BenchmarkIndex | None = None
    is_same_gold: SameGold = eq
    """Compares gold answers that are spelled differently."""


@dataclass
class _Notes:
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, example: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        shown = self.examples.setdefault(name, [])
        if len(shown) < SHOWN:
            shown.append(example)

    def findings(self, checked: tuple[str, ...]) -> tuple[Finding, ...]:
        return tuple(
            Finding(LEVELS.get(name, "warning"), name, self.counts[name], tuple(self.examples[name]))
            for name in checked
            if name in self.counts
        )


class _Every(BadRows):
    """Bad rows without a limit: an examination reads on to the end, and keeps the first faults alone."""

    def __init__(self, notes: _Notes) -> None:
        super().__init__()
        self.notes = notes

    def __call__(self, fault: UserError, text: str) -> None:  # noqa: ARG002
        self.notes.add(BAD_ROWS, str(fault))


def check_dataset(dataset: Dataset, context: CheckContext) -> CheckResult:
    """Return what is wrong with a data set.

    Raises: UserError where it cannot be read at all.
    """
    notes = _Notes()
    lengths = Lengths(context.cutoff_len) if context.encoder else None
    seen: dict[bytes, str] = {}
    golds = Golds()
    rows = gold_less = 0
    bad = _Every(notes)
    samples = dataset.read_samples(bad=bad)
    while batch := list(islice(samples, BATCH_ROWS)):
        rows += len(batch)
        for sample in batch:
            _note_texts(sample, notes, context)
            _note_duplicate(sample, seen, notes)
            if not dataset.entry.is_conversations:
                gold_less += _problem(sample).gold is None
                golds.add(identity_of(_problem(sample)))
        if context.encoder is not None and lengths is not None:
            _add_lengths(batch, lengths, notes, context)
    if gold_less:
        notes.counts[NO_GOLD] = gold_less
        notes.examples[NO_GOLD] = [f"{gold_less} of {rows}: a verifier cannot judge them; `filter: {{keep: all}}`"]
    for conflict in find_conflicts(dataset, golds, context.is_same_gold, _Every(_Notes())):
        notes.add(CONFLICTS, f"{conflict.where}: {conflict}")
    if bad.unread:
        # All of them, however many: a name is what tells a mistake from what is meant to be left.
        notes.counts[UNREAD] = len(bad.unread)
        notes.examples[UNREAD] = [
            f"{name}: {count:,} row{'s' * (count > 1)}" for name, count in bad.unread.most_common()
        ]
    checked = _checked(dataset, context)
    place = ", ".join(map(str, dataset.files_of(None))) or "a hub"
    return CheckResult(
        dataset.name,
        dataset.entry.formatting,
        place,
        rows,
        notes.findings(checked),
        checked,
        lengths,
        tuple(column_lines(dataset)),
        "" if dataset.entry.is_conversations else context.style_said,
    )


def _checked(dataset: Dataset, context: CheckContext) -> tuple[str, ...]:
    has_answers = dataset.entry.holds != "problems"
    wanted = {
        BAD_ROWS: True,
        TAGS: has_answers,
        EMPTY: has_answers,
        NO_ANSWER: dataset.entry.holds == "traces",
        DUPLICATES: True,
        SPECIAL: True,
        CONFLICTS: not dataset.entry.is_conversations,
        NO_GOLD: not dataset.entry.is_conversations,
        UNREAD: True,
        OVERLONG: context.encoder is not None and context.cutoff_len is not None,
        OVERLAP: context.benchmarks is not None,
    }
    return tuple(name for name, is_wanted in wanted.items() if is_wanted)


def _note_texts(sample: Sample, notes: _Notes, context: CheckContext) -> None:
    where, value = sample
    if isinstance(value, Trace):
        if reason := reason_against_tags(value):
            notes.add(TAGS, f"{where}: {reason.text}")
        if not value.completion.text.strip():
            notes.add(NO_ANSWER, where)
        elif not value.completion.reasoning.strip():
            notes.add(EMPTY, where)
    elif isinstance(value, Conversation):
        answer = value.messages[-1].content
        if fault := tag_fault(answer):
            notes.add(TAGS, f"{where}: {fault}")
        elif has_empty_thought(answer):
            notes.add(EMPTY, where)
    control = context.encoder.control if context.encoder else COMMON_CONTROL
    asked = _asked(value)
    if found := next((token for token in control if token in asked), None):
        notes.add(SPECIAL, f"{where}: {found} is kept as plain text")
    if context.benchmarks is not None and (reason := context.benchmarks.reason_against(_as_trace(value))):
        notes.add(OVERLAP, f"{where}: {reason.text}")


def _note_duplicate(sample: Sample, seen: dict[bytes, str], notes: _Notes) -> None:
    trace = _as_trace(sample.value)
    parts = (trace.problem.question, trace.completion.reasoning, trace.completion.text)
    text = "\0".join(" ".join(part.split()) for part in parts)
    key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
    first = seen.setdefault(key, sample.where)
    if first != sample.where:
        notes.add(DUPLICATES, f"{sample.where}: says what {first} says")


def _add_lengths(batch: list[Sample], lengths: Lengths, notes: _Notes, context: CheckContext) -> None:
    assert context.encoder is not None
    written = list(_write(batch, context.style))
    for (where, _), row in zip(written, context.encoder.encode([c for _, c in written]), strict=True):
        tokens = len(row.input_ids)
        lengths.add(tokens=tokens, supervised=row.supervised_tokens)
        if context.cutoff_len is not None and tokens > context.cutoff_len:
            notes.add(OVERLONG, f"{where}: {tokens:,} tokens")


def _write(batch: list[Sample], style: Style) -> Iterator[tuple[str, Conversation]]:
    """Yield what the student would learn from; a problem has no answer yet and stays out."""
    for where, value in batch:
        if isinstance(value, Conversation):
            yield where, value
        elif isinstance(value, Trace):
            yield where, conversation(style, value)


def _problem(sample: Sample) -> Problem:
    return _as_trace(sample.value).problem


def _asked(value: Problem | Trace | Conversation) -> str:
    if isinstance(value, Conversation):
        return "\n".join(message.content for message in value.prompt)
    problem = value.problem if isinstance(value, Trace) else value
    return "\n".join((*(message.content for message in problem.context), problem.question))


def _as_trace(value: Problem | Trace | Conversation) -> Trace:
    """Return question and answer in the one shape that duplicates and overlap are looked for in."""
    if isinstance(value, Trace):
        return value
    if isinstance(value, Problem):
        return Trace(problem=value, completion=Completion(key="", index=0, text=""))
    users = [message.content for message in value.messages if message.role == "user"]
    problem = Problem(id=value.id, question="\n".join(users))
    return Trace(problem=problem, completion=Completion(key="", index=0, text=value.messages[-1].content))
