"""What libraries raise where a disk is full or a file cannot be written, as the one line that the user is told.

safetensors and tokenizers have the system's number in their text alone, torch.save only says that a write failed.
"""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cotdistill.errors import LASTING, PASSING, TryAgainLater, UserError, disk_fault

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
OF_DISKS = frozenset({errno.EIO, errno.EROFS, errno.ESTALE})
SYSTEM_ERROR = re.compile(r"(?:\[Errno |os error )(\d+)")
"""Number of a system error in the words of shutil, of safetensors and of tokenizers."""
TORCH_WRITE_ERROR = re.compile(r"PytorchStreamWriter|unexpected pos")
"""What torch.save, and so DeepSpeed, says when a write failed; the system's reason is lost."""


@contextlib.contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Turn the errors of a write into one line; `folder` is named where the error names no file.

    Raises: TryAgainLater, UserError: the disk is full or cannot be used; any other error as it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        fault = _fault(error, folder)
        if fault is None:
            raise
        raise fault from error


def _fault(error: Exception, folder: Path) -> UserError | None:
    path = str(getattr(error, "filename", None) or folder)
    if isinstance(error, RuntimeError) and TORCH_WRITE_ERROR.search(str(error)):
        return _no_room("the disk is full, or the file too large", path)
    said = SYSTEM_ERROR.search(str(error))
    number = getattr(error, "errno", None) or (int(said[1]) if said else None)
    if number in NO_ROOM:
        return _no_room(os.strerror(number), path)
    # An OSError without a file may be a socket's, unless its number is a disk's alone.
    is_of_a_file = not isinstance(error, OSError) or error.filename is not None or number in OF_DISKS
    if number is not None and number in PASSING | LASTING and is_of_a_file:
        return disk_fault(OSError(number, os.strerror(number)), path)
    return None


def _no_room(reason: str, path: str) -> TryAgainLater:
    return TryAgainLater(f"cannot be written: {reason}", path, "make space, then run the same command again")
