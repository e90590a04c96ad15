"""The training process, `python -m cotdistill.training.worker.process job.json`, alone or once a device under torchrun.

It imports what training needs while the rows are made, and trains once its job file is there. It ends when the process
that started it has ended in whatever way: nobody else would stop it.
"""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path

POLL_S = 0.02
STOPPED = 143
"""Exit code of a process that was told to end, as a shell gives it for a TERM signal."""


def main(job: Path) -> int:
    """Train as the job file says, once it is there, and return the exit code."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    from cotdistill.training.worker.worker import run

    if not job.exists():
        with contextlib.suppress(ImportError):  # the Trainer imports it wherever it is there, in two seconds
            import deepspeed  # noqa: F401
    while not job.exists():
        time.sleep(POLL_S)
    return run(job)


def _exit_with_parent() -> None:
    # Not sys.stdin: the lock of a buffered reader that waits would abort the interpreter's shutdown.
    os.read(sys.stdin.fileno(), 1)
    os._exit(STOPPED)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
