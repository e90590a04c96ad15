"""A file of the run that cannot be opened for writing, whichever it is and whatever the system says: one line, no bug."""

import builtins
import errno
import io
import itertools
import os
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer
from tests.support.sampling_run import SamplingRun

FILES = (
    ".lock",
    "run.log",
    "recipe.yaml",
    "recipe.resolved.json",
    "arms.json",
    "started.json",
    "completions.jsonl",
    "rows.jsonl",
    "failed.jsonl",
    "spending.json",
    "manifest.json",
)
CODES = {"ENOLCK": 75, "EROFS": 2, "EIO": 75, "EACCES": 2, "ESTALE": 75, "EOPNOTSUPP": 2, "EFBIG": 75, "ENOSPC": 75}
CASES = list(zip(FILES, itertools.cycle(CODES)))  # every file and every error, not each with each


def refuse(monkeypatch, name, number):
    """Let no file of a name in the run's folder be opened for writing."""

    def is_refused(path):
        path = Path(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else None
        return path is not None and "runs" in path.parts and path.name.removesuffix(".partial") == name

    def checked(opened, is_writing):
        def open_(path, *arguments, **options):
            if is_refused(path) and is_writing(*arguments, **options):
                raise OSError(number, os.strerror(number), os.fspath(path))
            return opened(path, *arguments, **options)

        return open_

    def by_mode(mode="r", *_, **__):
        return set(mode) & set("wax+")

    def by_flags(flags, *_, **__):
        return flags & (os.O_WRONLY | os.O_RDWR)

    for place in (io, builtins):
        monkeypatch.setattr(place, "open", checked(place.open, by_mode))
    monkeypatch.setattr(os, "open", checked(os.open, by_flags))


@pytest.mark.parametrize(("name", "error"), CASES)
def test_a_file_that_cannot_be_written_is_one_line_with_its_path(tmp_path, call, name, error):
    with FaultServer() as server:
        run = SamplingRun(tmp_path, server.base_url, 4)
        with pytest.MonkeyPatch.context() as patch:
            refuse(patch, name, getattr(errno, error))
            code, _, err = call("sample", "r.yaml")
        assert "Traceback" not in err
        assert "Logging error" not in err
        assert code == CODES[error], err
        [line] = [line for line in err.splitlines() if line.startswith("error: ")]
        assert name in line
        code, _, err = call("sample", "r.yaml")
    assert code == 0, err
    assert run.stored() == run.all_prompts
    assert len(server.sent) == 4, "an answer was paid for twice"
