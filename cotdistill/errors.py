"""What can go wrong, as a tree; `cli` turns each leaf into its exit code.

    UserError            2    the user's input: recipe, data, options
    +-- RecipeFault      2    at a key of the recipe, before its file and line are known
    +-- AccessRefused    3    the endpoint refused the key or the balance is spent
    +-- FolderInUse      5    another process works in the run folder
    +-- TryAgainLater   75    endpoint down, disk full: the same command later goes on
    +-- WorkerFailed     n    the training worker ended with code n, which is passed on
    Interrupted        130    stopped by Ctrl-C (143 by a TERM signal, 129 where the terminal went away)

Anything else that is raised is a bug: it keeps its traceback and exits 1.
"""

import errno
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError

_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that act on a terminal or turn the order of a line, and halves of characters."""


def visible(text: str) -> str:
    """Return a text as a terminal may show it: `\\x1b` for an escape character; line ends and tabs stay."""
    return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


def visible_line(text: str) -> str:
    """Return a text as one line of a terminal or a log: `\\n` where it went on to another."""
    return visible(text).replace("\n", "\\n")


def whole_characters(text: str) -> str:
    """Return a text that UTF-8 can hold: halves of a character are joined, a half alone is replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


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
        return [visible_line(f"{place}{self.message}{hint}")]

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


_PASSING = "ENOSPC EDQUOT EFBIG EIO ESTALE ENOLCK ETIMEDOUT EAGAIN EMFILE ENFILE ENOMEM"
PASSING = frozenset(getattr(errno, name) for name in _PASSING.split())
"""Errors of the system that may pass by themselves, or with space made."""

_LASTING = "EROFS EACCES EPERM EISDIR ENOTDIR EEXIST ENOTEMPTY EOPNOTSUPP ENOSYS ENAMETOOLONG ELOOP EINVAL EXDEV ENXIO"
LASTING = frozenset(getattr(errno, name) for name in _LASTING.split())
"""Errors of the system that say something about the place that the user chose."""


def disk_fault(error: OSError, path: Path | str = "") -> UserError:
    """Return the one line about a file that cannot be used; `path` where the error names none.

    Raises: the error itself where it says nothing about a disk or a file's place.
    """
    where = str(path or error.filename or "a file of the run")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TryAgainLater("the disk is full", where, "make space, then the same command")
    if error.errno in PASSING:
        return TryAgainLater(
            f"cannot be used: {error.strerror}", where, "the same command goes on once that has passed"
        )
    if error.errno in LASTING:
        return UserError(
            f"cannot be used: {error.strerror}", where, "see to its disk and rights, or name another folder"
        )
    raise error


class WorkerFailed(UserError):
    """The training worker ended with an exit code that is not zero."""

    def __init__(self, message: str, *, exit_code: int, where: str = "", hint: str = "") -> None:
        super().__init__(message, where, hint)
        self.exit_code = exit_code


class Interrupted(Exception):
    """The user stopped the run; what was received is stored."""

    EXIT_CODE = 130

    def __init__(self, message: str, *, exit_code: int = EXIT_CODE) -> None:
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
