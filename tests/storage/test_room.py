"""What libraries raise where a file cannot be written is one line with its path, and the exit code says what helps."""

import errno
import os
import re

import pytest

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.storage.room import room_in

FULL = "make space, then run the same command again"
TORCH = "[enforce fail at inline_container.cc:815] . PytorchStreamWriter failed writing file data/0: file write failed"


class ForeignError(Exception):
    """As safetensors and tokenizers raise theirs: the number stands in the text alone."""


def fail(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (fail(errno.ENOSPC), TryAgainLater, f"FOLDER: cannot be written: No space left on device ({FULL})"),
        (fail(errno.EFBIG, "a.bin"), TryAgainLater, f"a.bin: cannot be written: File too large ({FULL})"),
        (
            ForeignError("Error while serializing: I/O error: No space left on device (os error 28)"),
            TryAgainLater,
            f"FOLDER: cannot be written: No space left on device ({FULL})",
        ),
        (
            RuntimeError(TORCH),
            TryAgainLater,
            f"FOLDER: cannot be written: the disk is full, or the file too la.*{FULL}",
        ),
        (RuntimeError("unexpected pos 64 vs 0"), TryAgainLater, "FOLDER: cannot be written: the disk is full"),
        (fail(errno.EIO), TryAgainLater, "FOLDER: cannot be used: Input/output error"),
        (ForeignError("IoError: Read-only file system (os error 30)"), UserError, "FOLDER: cannot be used: Read-only"),
        (fail(errno.EACCES, "a.bin"), UserError, "a.bin: cannot be used: Permission denied"),
    ],
)
def test_what_a_disk_refuses_is_one_line_with_its_path(tmp_path, error, kind, line):
    with pytest.raises(UserError) as caught, room_in(tmp_path):
        raise error
    assert type(caught.value) is kind
    [said] = caught.value.lines()
    assert re.match(line.replace("(", r"\(").replace(")", r"\)"), said.replace(str(tmp_path), "FOLDER")), said


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        fail(errno.ECONNRESET),
        fail(errno.EAGAIN),
        UserError("cannot be read: [Errno 28] No space left on device", "its own place"),
        KeyError("a"),
    ],
)
def test_any_other_error_goes_on_as_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, room_in(tmp_path):
        raise error
    assert caught.value is error
