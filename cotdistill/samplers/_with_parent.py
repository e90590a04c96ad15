"""Runs a command that ends with whoever started this script, by a kill -9 too, with all processes that it starts.

python _with_parent.py vllm serve …

Standard input is a pipe that the starter holds and writes nothing to. It is closed when the starter closes it or ends,
however it ends; then the command's whole process group is ended. The exit code is the command's; 127: no such command.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 10.0
"""Time for the command to end by itself after a TERM signal."""


def main(command: list[str]) -> int:
    """Run the command and return its exit code; one ended by signal n gives 128 + n."""
    # Interrupts are for the starter, which closes the pipe when it has done with the command.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_take_signals,  # noqa: PLW1509
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    threading.Thread(target=_end_with_starter, args=(child.pid,), daemon=True).start()
    code = child.wait()
    # Of a server that crashed its workers may be left, and hold the device's memory.
    _signal(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _take_signals() -> None:
    """Let the command be ended: what is ignored here would be ignored there."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _end_with_starter(group: int) -> None:
    while os.read(0, 1 << 12):
        continue
    _signal(group, signal.SIGTERM)
    time.sleep(GRACE_S)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
