"""How a stage is declared: what it reads, writes and uses is taken from its annotations.

    @stage(rejects="rejected.jsonl")
    def filter(traces: Iterable[Trace], options: FilterOptions, work: Workspace, *, verifier: Verifier) -> Rows[Trace]:

The first parameter is the row type that it reads, the keyword-only ones are the roles that it uses, and the
rows that it yields go on to the next stage; a `Rejected` row goes to the file of the rejected instead.
"""

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, get_type_hints

from cotdistill.engines import Engine
from cotdistill.nodes.meeting import Meeting
from cotdistill.records import Record, Rejected
from cotdistill.registry import KindOptions, Options
from cotdistill.storage.encoded import EncodedRow
from cotdistill.storage.keys import draw, key_of
from cotdistill.storage.room import room_in
from cotdistill.storage.run_folder import BASE, REJECTED, ROWS

R = TypeVar("R", bound=Record)
U = TypeVar("U")
Rows: TypeAlias = Iterator[R | Rejected | EncodedRow]


ROWS_A_MOVE = 100
"""Rows between two moves of a bar: moving it for each would take longer than the row."""


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int = 1, /, *, total: int | None = None, note: str | None = None) -> None:
        """Count `done` more; `total` says how many there are, where that was not known; `note` is shown beside."""
        ...


class Progress(Protocol):
    """Opens a progress bar: `with progress("sampling", total=100, unit="answers") as advance`."""

    def __call__(self, title: str, *, total: int, unit: str) -> AbstractContextManager[Advance]:
        """Return the open bar."""
        ...


def no_progress(title: str, *, total: int, unit: str) -> AbstractContextManager[Advance]:  # noqa: ARG001
    """Show nothing."""
    return nullcontext(lambda _done=1, /, *, total=None, note=None: None)  # noqa: ARG005


def counted(rows: Iterable[U], progress: Progress, title: str, *, total: int) -> Iterator[U]:
    """Yield the rows under a bar, which opens with the first: what is done before it may have a bar of its own."""
    found = iter(rows)
    for first in found:
        with progress(title, total=total, unit="rows") as advance:
            yield first
            waiting = 1
            for row in found:
                yield row
                waiting += 1
                if waiting == ROWS_A_MOVE:
                    advance(waiting)
                    waiting = 0
            advance(waiting)


@dataclass(frozen=True)
class Shard:
    """A share of the problems, by hash: `i/n`, i from 0, so that several machines can sample at the same time."""

    number: int
    of: int

    FILES: ClassVar[str] = "completions.shard-*-of-*.jsonl"

    @property
    def file(self) -> str:
        """Name of its own ledger."""
        return f"completions.shard-{self.number}-of-{self.of}.jsonl"

    def holds(self, problem_id: str) -> bool:
        """Return whether a problem is in this share; the same on every machine."""
        return int.from_bytes(draw(problem_id)[:6]) % self.of == self.number


@dataclass(frozen=True)
class Workspace:
    """What a stage may touch beside its rows."""

    folder: Path
    """The stage's own folder; it exists."""
    run: Path
    """The run's folder: `run / "base"` holds untrained students that had to be made."""
    seed: int
    progress: Progress = no_progress
    shard: Shard | None = None
    """The share of the problems that this process samples; None: all."""
    is_redone: bool = False
    """Whether the user asked to do the stage again: what an earlier start left may be put aside."""
    meeting: Meeting | None = None
    """The other machines, where there are several."""
    keeps_points: bool = False
    """Whether the student of every point that a training saves will be asked, and must be kept."""
    base_seed: int | None = None
    """Seed that an untrained student is made with; None: `seed`. Trainings of several seeds begin with one student."""
    arm: str = ""
    """Name of the arm that the stage belongs to, the first one of several; the run's where there are none."""
    rows_in: int = 0
    """Rows that the stage reads, where that is known; else 0."""
    engine: Engine | None = None
    """Where rows are worked on that need no others; None: on this machine, as the stage's options say."""
    round: int = 1
    """The round of the recipe that the stage belongs to."""
    key: str = ""
    """Key of the step, where it is done whole: what is found out about its rows may be kept under it."""
    earlier: tuple[Path, ...] = ()
    """Folders of the same stage in earlier rounds that it builds on."""

    def base(self, student: KindOptions) -> str:
        """Return the folder or hub name of the untrained student, made once per run where it must be made."""
        seed = self.seed if self.base_seed is None else self.base_seed
        folder = self.run / BASE / key_of([student.key_options(), seed])[:12]
        with room_in(folder):
            base: str = student.build().base(folder, seed=seed, progress=self.progress)
        return base


class StageOptions(Options):
    """Options of a stage, and what they say of themselves before a run."""

    install_extra: ClassVar[str] = ""
    """The extra of this package that brings what `packages` names."""

    def unused(self) -> frozenset[str]:
        """Return the roles that the stage has no use for with these options: no part of its key."""
        return frozenset()

    def packages(self) -> tuple[str, ...]:
        """Return the optional packages that these options need."""
        return ()

    def needs_gold(self) -> bool:
        """Return whether the stage can do nothing with problems without a gold answer."""
        return False

    def forecast(self, roles: Mapping[str, Any]) -> str | None:  # Any: what each role's family says  # noqa: ARG002
        """Return a line on what the work will take of the machine; None where nothing is known of it."""
        return None

    def check(self, roles: Mapping[str, Any], *, seed: int) -> None:  # Any: what each role's family says
        """Return if the options fit together with the roles, which are built.

        Raises: RecipeFault that names the key, as `sample.budget.usd`.
        """


@dataclass(frozen=True)
class Stage:
    """One verb of the recipe."""

    name: str
    function: Callable[..., Iterator[Record]]
    options: type[StageOptions]
    reads: type[Record]
    writes: type[Record]
    uses: tuple[str, ...]
    """Roles, as the recipe names them."""
    requires: tuple[str, ...]
    """Those of them that it cannot do without."""
    takes_options: tuple[str, ...]
    """Those of them that it is handed as options, not built: a process of its own builds them."""
    rows_file: str
    rejects_file: str | None
    """Where `Rejected` rows go; None for a stage that yields none."""
    is_incremental: bool
    """Its folder holds work that a second start goes on with, so a change of options keeps the folder."""
    is_resumable: bool
    """It goes on where an earlier start stopped, and itself refuses one that differs: such a folder is left to it."""
    is_optional: bool
    """It runs only where the recipe has its section."""
    is_aside: bool
    """Its rows are mixed into what the next training learns from; the stage behind it reads what stands before it."""
    is_on_all_nodes: bool
    """Of several machines all take part; the other stages run on node 0 alone."""
    opens_round: bool
    """It runs first in each round but the first, where the round asks for it, and never without rounds."""

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def redo_says(self) -> str:
        """What `--redo` of a finished stage does."""
        if self.is_incremental:
            return "keeps what is stored and asks only what is new"
        return "does it again and keeps the old folder"


def stage(
    *,
    rows: str = ROWS,
    rejects: str | None = REJECTED,
    is_incremental: bool = False,
    is_resumable: bool = False,
    is_optional: bool = False,
    is_aside: bool = False,
    is_on_all_nodes: bool = False,
    opens_round: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # Any: the signature is read below
    """Declare the one function of a module in `stages/` as a stage; its place is that of its section there."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        first = next(iter(parameters))
        roles = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        declared = Stage(
            name=function.__name__,
            function=function,
            options=hints["options"],
            reads=typing.get_args(hints[first.name])[0],
            writes=next(a for a in _row_types(hints["return"]) if a is not Rejected),
            uses=tuple(p.name for p in roles),
            requires=tuple(p.name for p in roles if p.default is p.empty),
            takes_options=tuple(
                p.name for p in roles if KindOptions in (hints[p.name], *typing.get_args(hints[p.name]))
            ),
            rows_file=rows,
            rejects_file=rejects,
            is_incremental=is_incremental,
            is_resumable=is_resumable,
            is_optional=is_optional,
            is_aside=is_aside,
            is_on_all_nodes=is_on_all_nodes,
            opens_round=opens_round,
        )
        function.__cotdistill_stage__ = declared  # type: ignore[attr-defined]
        return function

    return declare


def _row_types(iterator: Any) -> tuple[type[Record], ...]:  # Any: a type annotation
    (union,) = typing.get_args(iterator)
    return typing.get_args(union) or (union,)
