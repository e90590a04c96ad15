"""filter: keep the traces that are worth learning from, and say why the others are not.

Row filters, then group filters; a row is dropped by the first one that has a reason against it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from cotdistill.data.task import Task, questions_of
from cotdistill.engines.local import START_AFTER_S, LocalEngine
from cotdistill.engines.rows import map_rows
from cotdistill.errors import RecipeFault, UserError
from cotdistill.filters import GroupFilter, RowFilter
from cotdistill.filters.contamination import LEAST_SHARE, BenchmarkIndex
from cotdistill.filters.duplicates import reasons_against_copies, reasons_against_near_copies
from cotdistill.filters.hint_leaks import reason_against_hint_leak
from cotdistill.filters.language import LANGUAGES, reason_against_language
from cotdistill.filters.language import LEAST_SHARE as LEAST_LANGUAGE_SHARE
from cotdistill.filters.lengths import (
    Limits,
    reason_against_answer_length,
    reason_against_reasoning_length,
    reason_against_tokens,
)
from cotdistill.filters.majority import reasons_against_minority
from cotdistill.filters.near_duplicate_questions import SeenQuestions
from cotdistill.filters.problem_groups import ProblemGroups
from cotdistill.filters.refusals import reason_against_refusal
from cotdistill.filters.repetition import reason_against_repetition
from cotdistill.filters.reviewed import ReviewSheet, reason_against_reviewed
from cotdistill.filters.selection import Preference, reasons_against_surplus
from cotdistill.filters.status import reason_against_known_wrong, reason_against_status, reason_against_verdict
from cotdistill.filters.stray_tags import reason_against_tags
from cotdistill.filters.wrong_equations import reason_against_wrong_equations
from cotdistill.records import Problem, Trace
from cotdistill.registry import NOT_IN_KEY
from cotdistill.samplers import Sampler
from cotdistill.scoring.equations import read_equations
from cotdistill.scoring.grading import grade
from cotdistill.stage import Rows, StageOptions, Workspace, counted, stage
from cotdistill.stages._choosing import decided
from cotdistill.stages._screening import set_up
from cotdistill.verifiers import Verifier
from cotdistill.verifiers.judge import Judge

DropOrKeep = Literal["drop", "keep"]


class FilterOptions(StageOptions):
    """What is kept. What is off by default acts where it is set, in the arm `keep: all` too."""

    install_extra = "filter"

    keep: Literal["correct", "majority", "correct_or_majority", "all"] = "correct"
    """`correct`: what the verifier finds right. `majority`: what most answers to a problem say, two at least, for
    problems without gold answers (self-consistency, Wang et al. 2023); needs `sample.samples_per_problem` above 1.
    `correct_or_majority`: that for problems without a gold answer alone. `all`: every whole answer, right or wrong; the
    arm that shows whether filtering helped."""
    reviewed: Path | None = None
    """A sheet of traces that people decided about, as `cotdistill-cli review` writes it: `accept` counts as right and
    `reject` as dropped, whatever the verifier says; new words take the place of the teacher's. Default: none."""
    hint_leaks: DropOrKeep = "drop"
    """Rationales that speak of the answer that the teacher was shown; only completions drawn with it are looked at.
    The student is shown none."""
    refusals: DropOrKeep = "keep"
    """Answers that begin by declining (`I cannot help with`, `抱歉，我无法`). Default `keep`: the verifier finds none
    of them right."""
    think_closed: bool = False
    """Drop traces with a stray thinking tag (`<think>`, `</think>`) inside the rationale or the answer."""
    min_reasoning_chars: int | None = Field(None, ge=1)
    """Shortest rationale, in characters; 1 asks for one at all. Default: no limit."""
    max_reasoning_chars: int | None = Field(None, ge=1)
    """Longest rationale, in characters; default: no limit. Students up to 3B learn more from short ones."""
    min_answer_chars: int | None = Field(None, ge=1)
    """Shortest answer after the thinking, in characters; default: no limit."""
    max_answer_chars: int | None = Field(None, ge=1)
    """Longest answer after the thinking, in characters; default: no limit."""
    max_completion_tokens: int | None = Field(None, ge=1)
    """Most tokens of rationale and answer together, as the teacher's server counted them; a row without a count stays.
    Default: no limit."""
    language: str | None = None
    """Language that the rationale and the answer must be in, as ISO 639-1: `zh`. Code, formulas, numbers and texts too
    short to tell are left out. Default: any. Needs the extra `filter`."""
    language_share: float = Field(LEAST_LANGUAGE_SHARE, gt=0.5, le=1)
    """Least share of the rationale and of the answer that must be in `language`, told sentence by sentence. Default
    0.9: names and quoted words of another language are usual."""
    max_repetition: float | None = Field(None, ge=0, lt=1)
    """Largest share of a text that may stand in blocks of 12 words that come three times or more, in blocks of 40 that
    come twice, or in stretches that say next to nothing new (counters, runs of digits, one sentence reworded); a text
    that ends in a loop is dropped too. 0.2 spares careful rationales: 3 % of R1's repeat a block, the worst 0.14.
    Default: not looked at."""
    wrong_equations: DropOrKeep = "keep"
    """Traces that state an equation that does not hold (`48 / 2 = 25`), however right the final answer is. Only what is
    read for sure counts. Default `keep`: 9 of 497 R1 traces have one."""
    decontaminate: bool = True
    """Drop rows that share their question, or 13 words in a row, with a question of `evaluate.tasks` (26 characters
    where words have no spaces). Default true: a score on a question that was learned says nothing."""
    decontaminate_share: float | None = Field(LEAST_SHARE, ge=0.2, le=1)
    """Share of an evaluation question's runs of four words (five characters) that may not stand in a row's question:
    finds questions with single words changed. 0.5 at least where the golds differ; questions made from a template are
    compared by whole runs alone. Default 0.3: one word in twelve changed leaves 0.67, and 6 of GSM8K's 7,473 training
    questions reach it. null: not looked at."""
    pass_rate: tuple[float, float] | None = None
    """Least and largest share of a problem's attempts that are correct: `[0.1, 0.9]` leaves out what the teacher always
    or never solves. Needs `sample.samples_per_problem` above 1. Default: any."""
    duplicates: DropOrKeep = "keep"
    """Traces that say what an earlier one of the same problem says, but for case, marks and spaces."""
    near_duplicates: float | None = Field(None, ge=0.7, le=1)
    """Similarity (Jaccard, runs of three words) from which a trace is a copy of another one of its problem, and a
    question a copy of another problem's with the same gold (72 is 72.0). Default: not looked at; 0.75 is a good value,
    as one changed word escapes 0.9 four times in five. Needs the extra `filter`."""
    max_kept_per_problem: int | None = Field(None, ge=1)
    """Traces of one problem to keep; default: all."""
    prefer: Preference = "first"
    """Which of them: the `first`, the `shortest`, the `longest`, or the most `diverse` ones (different reasoning for
    the same answer, Ho et al. 2023)."""

    processes: Annotated[int | None, Field(ge=1), NOT_IN_KEY] = None
    """Processes that grade and screen at the same time; default: one for each core, and none where the work takes less
    than a second. Rows and their order are the same with any number."""

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise PydanticCustomError("language_unknown", "unknown language", {"known": list(LANGUAGES)})
        return language

    @field_validator("language_share")
    @classmethod
    def _has_language(cls, share: float, info: ValidationInfo) -> float:
        if info.data.get("language", ...) is None:
            raise ValueError("asks for nothing without `language`")
        return share

    @field_validator("max_reasoning_chars", "max_answer_chars")
    @classmethod
    def _is_above_least(cls, most: int | None, info: ValidationInfo) -> int | None:
        name = str(info.field_name).replace("max", "min")
        least = info.data.get(name)
        if most is not None and least is not None and most < least:
            raise ValueError(f"{most} is below `{name}`, {least}: no row could pass")
        return most

    @field_validator("decontaminate_share")
    @classmethod
    def _is_asked(cls, share: float | None, info: ValidationInfo) -> float | None:
        if share is not None and not info.data.get("decontaminate", True):
            raise ValueError("looks at nothing without `decontaminate`")
        return share

    @field_validator("pass_rate")
    @classmethod
    def _is_window(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not 0 <= window[0] <= window[1] <= 1:
            raise ValueError("should be two shares from 0 to 1, the smaller one first")
        return window

    @field_validator("prefer")
    @classmethod
    def _has_choice(cls, prefer: Preference, info: ValidationInfo) -> Preference:
        if prefer != "first" and info.data.get("max_kept_per_problem", ...) is None:
            raise ValueError("chooses nothing without `max_kept_per_problem`")
        return prefer

    def check(self, roles: Mapping[str, Any], *, seed: int) -> None:  # Any: what each role's family says  # noqa: ARG002
        """Raise RecipeFault where the sheet cannot be read."""
        if self.reviewed is not None:
            try:
                ReviewSheet(self.reviewed)
            except UserError as fault:
                raise RecipeFault.named_by("filter.reviewed", fault) from None

    def unused(self) -> frozenset[str]:
        """Return the roles that these options have no use for."""
        return frozenset() if self.decontaminate else frozenset({"tasks"})

    @property
    def votes(self) -> bool:
        """Whether what most answers to a problem say is kept."""
        return "majority" in self.keep

    def needs_gold(self) -> bool:
        """Return whether only right answers are kept: what no verifier can judge would all be dropped."""
        return self.keep == "correct"

    def packages(self) -> tuple[str, ...]:
        """Return the packages of the extra `filter` that these options need."""
        chosen = {"py3langid": self.language, "datasketch": self.near_duplicates}
        return tuple(name for name, option in chosen.items() if option is not None)


@stage()
def filter(  # the stage's name in the recipe
    traces: Iterable[Trace],
    options: FilterOptions,
    work: Workspace,
    *,
    verifier: Verifier,
    judge: Sampler | None = None,
    tasks: Mapping[str, Task] | None = None,
) -> Rows[Trace]:
    """Keep the answers that the verifier finds right."""
    engine = work.engine or LocalEngine(options.processes, start_after_s=0 if options.processes else START_AFTER_S)
    asked: Verifier | None = verifier
    if options.reviewed is not None:
        traces = ReviewSheet(options.reviewed).settle(traces)
    if isinstance(verifier, Judge):
        traces, asked = grade(_ungraded(traces), verifier, judge, work), None
    filters = partial(_row_filters, options, questions_of(tasks or {}))
    setup = partial(set_up, filters, asked, is_reviewed=options.reviewed is not None)
    with ProblemGroups(work.folder) as groups, SeenQuestions(work.folder, options.near_duplicates) as seen:
        for row in counted(map_rows(engine, setup, traces), work.progress, "filtering", total=work.rows_in):
            groups.add(row)
        yield from decided(groups, options.pass_rate, _group_filters(options, seen))


def _ungraded(traces: Iterable[Trace]) -> Iterator[Trace]:
    """Yield the traces without the verdicts of an earlier run; those of people stay."""
    for trace in traces:
        is_old = trace.verdict is not None and trace.reviewed is None
        yield trace.model_copy(update={"verdict": None}) if is_old else trace


def _row_filters(options: FilterOptions, questions: Mapping[str, Sequence[Problem]]) -> list[RowFilter]:
    """Return what is asked of each trace alone, in order."""
    benchmarks = BenchmarkIndex(questions, least_share=options.decontaminate_share)
    reasoning = Limits(options.min_reasoning_chars, options.max_reasoning_chars)
    in_language = partial(reason_against_language, language=options.language or "", least=options.language_share)
    answer, tokens = Limits(options.min_answer_chars, options.max_answer_chars), options.max_completion_tokens
    asked: list[tuple[bool, RowFilter]] = [
        (True, reason_against_status),
        (options.reviewed is not None, reason_against_reviewed),
        (options.keep == "correct", reason_against_verdict),
        (options.keep == "correct_or_majority", reason_against_known_wrong),
        (options.hint_leaks == "drop", reason_against_hint_leak),
        (options.refusals == "drop", reason_against_refusal),
        (options.think_closed, reason_against_tags),
        (True, lambda trace: reason_against_reasoning_length(trace, reasoning)),
        (True, lambda trace: reason_against_answer_length(trace, answer)),
        (tokens is not None, lambda trace: reason_against_tokens(trace, tokens or 0)),
        (options.language is not None, in_language),
        (options.max_repetition is not None, lambda t: reason_against_repetition(t, options.max_repetition or 0)),
        (options.wrong_equations == "drop", partial(reason_against_wrong_equations, read=read_equations)),
        (options.decontaminate and any(questions.values()), benchmarks.reason_against),
    ]
    return [row_filter for is_asked, row_filter in asked if is_asked]


def _group_filters(options: FilterOptions, seen: SeenQuestions) -> list[GroupFilter]:
    """Return what is asked of the traces of one problem together, in order."""
    like, most = options.near_duplicates, options.max_kept_per_problem
    asked: list[tuple[bool, GroupFilter]] = [
        (options.votes, partial(reasons_against_minority, trusts_gold=options.keep == "correct_or_majority")),
        (options.duplicates == "drop", reasons_against_copies),
        (like is not None, lambda traces: reasons_against_near_copies(traces, like or 1)),
        (like is not None, seen.reasons_against),
        (most is not None, lambda traces: reasons_against_surplus(traces, most or 1, options.prefer)),
    ]
    return [group_filter for is_asked, group_filter in asked if is_asked]
