"""What can go wrong, as a tree; `cli` turns each leaf into its exit code.

    UserError            2    the user's input: recipe, data, options
    +-- RecipeFault      2    at a key of the recipe, before its file and line are known
    +-- AccessRefused    3    the endpoint refused the key or the balance is spent
    +-- FolderInUse      5    another process works in the run folder
    +-- TryAgainLater   75    endpoint down, disk full: the same command later goes on
    +-- WorkerFailed     n    the training worker ended with code n, which is passed on
    Interrupted        130    stopped by Ctrl-C (143 by a TERM signal)

Anything else that is raised is a bug: it keeps its traceback and exits 1.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """A fault that the user can fix, in one line."""

    exit_code = 2

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        """`where` is `file:line: key` as far as it is known; `hint` says what to do."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def lines(self) -> list[str]:
        """One line per fault: `where: message. hint`."""
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return [f"{place}{self.message}{hint}"]

    def __str__(self) -> str:
        return "\n".join(self.lines())


class RecipeFault(UserError):
    """A fault at a key of the recipe: `where` is the key alone, `train.deepspeed`; the pipeline knows file and line."""

    @classmethod
    def named_by(cls, key: str, fault: UserError) -> "RecipeFault":
        """Return the fault of a file that a key of the recipe names."""
        return cls(f"{fault.where}: {fault.message}", key, fault.hint)


class UserErrors(UserError):
    """Several faults found together, reported together."""

    def __init__(self, faults: Sequence[UserError]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = list(faults)

    def lines(self) -> list[str]:
        """One line per fault, in order."""
        return [line for fault in self.faults for line in fault.lines()]


class AccessRefused(UserError):
    """The endpoint refused the key (401, 403) or the balance is spent (402)."""

    exit_code = 3


class FolderInUse(UserError):
    """Another process holds the lock of the run folder."""

    exit_code = 5


class TryAgainLater(UserError):
    """A condition that passes by itself or with space made; nothing stored is lost."""

    exit_code = 75


class WorkerFailed(UserError):
    """The training worker ended with an exit code that is not zero."""

    def __init__(self, message: str, *, exit_code: int, where: str = "", hint: str = "") -> None:
        super().__init__(message, where, hint)
        self.exit_code = exit_code


class Interrupted(Exception):
    """The user stopped the run; what was received is stored."""

    def __init__(self, message: str, *, exit_code: int = 130) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


def no_such_file(path: Path | str) -> UserError:
    """Return the error for a file that is not there."""
    return UserError("no such file", str(path), "paths are relative to the working directory")


class Fault(NamedTuple):
    """What is wrong with a row or a document."""

    key: str
    """Empty where the whole is at fault."""
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


def first_fault(error: "ValidationError") -> Fault:
    """Return the first fault that pydantic found."""
    first = error.errors()[0]
    return Fault(".".join(map(str, first["loc"])), first["msg"])


def raise_all(faults: Sequence[UserError]) -> None:
    """Raise nothing, the one fault, or all of them together.

    Raises: UserError, UserErrors.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise UserErrors(faults)
