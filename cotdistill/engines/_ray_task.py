"""What a worker of a Ray cluster does: blocks of one piece of work after the other, set up once."""

import contextlib
import hashlib
import logging
import os
import platform
import traceback
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import cotdistill
from cotdistill.engines._errors import sendable

log = logging.getLogger("cotdistill")

COMPARED = (
    "pydantic",
    "pydantic_core",
    "jinja2",
    "math-verify",
    "latex2sympy2_extended",
    "sympy",
    "text2num",
    "datasketch",
    "py3langid",
    "numpy",
    "tokenizers",
    "transformers",
)
"""Packages that decide what comes of a row."""

Function = Callable[[Any], Any]  # Any: whatever a stage's blocks are


class Answer(NamedTuple):
    """What came of one block."""

    is_done: bool
    result: Any  # Any: whatever comes of a stage's blocks
    """The result; or the exception and its traceback."""
    said: tuple[tuple[int, str], ...]
    """Level and text of what was logged."""


_ready: dict[str, Function] = {}
"""The function of the work at hand, by the work's name."""


def work(name: str, setup: list[Any], folder: str, block: Any) -> Answer:  # Any: references and blocks
    """Return what comes of a block; `setup` holds a reference to the function that is called once a worker.

    `folder` is the working directory of the command: paths of a recipe start there.
    """
    said: list[tuple[int, str]] = []
    with _collected(said):
        try:
            if name not in _ready:
                import ray

                os.environ.setdefault("RAYON_NUM_THREADS", "1")  # a task has one core
                os.chdir(folder)
                _ready.clear()
                _ready[name] = ray.get(setup[0])()
            return Answer(True, _ready[name](block), tuple(said))
        except Exception as error:  # the engine raises it at the block's place
            return Answer(False, (sendable(error), "".join(traceback.format_exception(error))), tuple(said))


@cache
def installed() -> dict[str, str]:
    """Return what the results of this machine depend on: Python, this package and its code, other packages."""
    package = Path(cotdistill.__file__).parent
    code = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        code.update(f"{path.relative_to(package)}\n".encode())
        code.update(path.read_bytes())
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "cotdistill": cotdistill.__version__}
    for name in COMPARED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found | {"the code of cotdistill": code.hexdigest()[:8]}


@contextlib.contextmanager
def _collected(said: list[tuple[int, str]]) -> Any:  # Any: an iterator, as contextmanager wants it
    """Collect what this package logs."""
    handler = _Collector(said)
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


class _Collector(logging.Handler):
    def __init__(self, said: list[tuple[int, str]]) -> None:
        super().__init__()
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelno, record.getMessage()))
