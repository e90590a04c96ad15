"""What tests of engines let workers do: functions of a module, so that another process finds them."""

import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cotdistill.errors import UserError
from cotdistill.records import Record, Verdict
from cotdistill.storage.encoded import encode

Block = list[int]


def squares() -> Callable[[Block], tuple[int, list[int]]]:
    """Square the numbers of a block, and say which process did."""
    return lambda block: (os.getpid(), [number * number for number in block])


def _slow_squares(seconds: float, block: Block) -> tuple[int, list[int]]:
    time.sleep(seconds * (block[0] % 3))
    return os.getpid(), [number * number for number in block]


def slow_squares(seconds: float) -> Callable[[Block], tuple[int, list[int]]]:
    """Square the numbers, every third block at once, the others later."""
    return partial(_slow_squares, seconds)


def _refusing(bad: int, block: Block) -> list[int]:
    if bad in block:
        raise UserError(f"cannot do {bad}", "file.jsonl:3", "leave it out")
    return block


def refusing(bad: int) -> Callable[[Block], list[int]]:
    """Raise UserError for the block that holds a number."""
    return partial(_refusing, bad)


def unwilling() -> Callable[[Block], Block]:
    """Fail while setting up."""
    raise UserError("no package", "filter", "pip install it")


def _killed_at(number: int, mark: Path, times: int, block: Block) -> list[int]:
    deaths = len(list(mark.iterdir()))
    if number in block and deaths < times:
        (mark / str(deaths)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [number * number for number in block]


def killed_at(number: int, mark: Path, times: int) -> Callable[[Block], list[int]]:
    """End the process with kill -9 where a block holds a number, as many times; `mark` is an empty folder."""
    return partial(_killed_at, number, mark, times)


def _talkative(block: Block) -> Block:
    logging.getLogger("cotdistill.tests").warning("a hard block")
    return block


def talkative() -> Callable[[Block], Block]:
    """Log the same line for every block."""
    return _talkative


def encoder() -> Callable[[Record], bytes]:
    """Encode rows."""
    return encode


def failing_on_tails(gold: str, answer: str) -> Verdict:
    """Find every answer right but those with a tail, on which this verifier fails."""
    return Verdict(outcome="correct", extracted=str(int(gold) // (not answer.endswith("tail"))))
