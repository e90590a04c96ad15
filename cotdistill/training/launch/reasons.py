"""Why a process ended, in words: by its exit code, and by what it wrote last."""

import re
import signal

TRACEBACK = "Traceback (most recent call last):"
TORCHS_PREFIX = re.compile(r"^\[rank\d+\]: ?", re.MULTILINE)
"""What torch puts before each line of a traceback once there is a process group."""


def ended(code: int) -> str:
    """Return how a process with this exit code ended, as `was killed (SIGKILL), often for memory`; -n is signal n."""
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    # The kernel kills the largest process where memory is out, and a container's limit does the same.
    return f"was killed ({name}), often for memory" if name == "SIGKILL" else f"ended by {name}"


def last_error(text: str) -> str:
    """Return the line of the last traceback that names the exception, else the last line; empty where there is none.

    What comes after a traceback, as warnings while an interpreter shuts down do, is not why it ended.
    """
    _, found, after = TORCHS_PREFIX.sub("", text).rpartition(TRACEBACK)
    if found:
        lines = [line for line in after.splitlines() if line.strip()]
        return next((line.strip() for line in lines if not line.startswith(" ")), "")
    return (text.strip().splitlines() or [""])[-1].strip()


def why(who: str, code: int, text: str) -> str:
    """Return in one line why `who` ended with this exit code, having written `text`."""
    line = last_error(text)
    if code < 0 or not line:
        return f"{who} {ended(code)}"
    return f"{who}: {line}" if TRACEBACK in text else f"{who} {ended(code)}: {line}"
