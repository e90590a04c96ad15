"""torchrun with the exit code and the reason of its worker: torchrun itself ends with 1 whatever became of them.

python -m cotdistill.training.launch.torchrun failure.txt --nproc_per_node=8 … -m worker …

The line that says why goes to failure.txt, unless a worker has left one there itself:
rank 3 was killed (SIGKILL), often for memory
"""

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.training.launch.reasons import why

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

STDERR = "2"
TERMINATED = (-signal.SIGTERM, 128 + signal.SIGTERM)
"""How those end whom torchrun ends since another one has."""
DISTURBED = (1, -signal.SIGABRT)
"""How those end whom the end of another one leaves in the middle of a collective call."""


def main(failure: Path, arguments: list[str]) -> int:
    """Run torchrun and return the exit code of the worker that failed first; one ended by signal n gives 128 + n."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    os.environ.setdefault("TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE", "[rank ${rank}] ")
    with tempfile.TemporaryDirectory(prefix="cotdistill-ranks-", ignore_cleanup_errors=True) as logs:
        try:
            torchrun([f"--log-dir={logs}", f"--tee={STDERR}", *arguments])
        except ChildFailedError as error:
            rank, first = first_failure(error.failures)
            code: int = first.exitcode
            note(failure, why(f"rank {rank}", code, _read_stderr(Path(logs), first.local_rank)), code)
            return code if code > 0 else 128 - code
    return 0


def first_failure(failures: "Mapping[int, ProcessFailure]") -> "tuple[int, ProcessFailure]":
    """Return rank and failure of the worker whose end ended the others.

    torchrun notes them in the order in which it sees them end, some at the same look. One that does not heed its TERM
    is killed half a minute later.
    """
    earliest = min(failure.timestamp for failure in failures.values())
    early = [(rank, failure) for rank, failure in failures.items() if failure.timestamp <= earliest + 1]
    return min(early, key=lambda item: (item[1].exitcode in TERMINATED, item[1].exitcode in DISTURBED))


def note(failure: Path, line: str, code: int) -> None:
    """Leave the reason: a worker that was killed could not, and what another wrote since is of its end."""
    is_killed = code < 0 and code not in (*TERMINATED, *DISTURBED)
    if is_killed or not failure.exists():
        failure.write_text(line + "\n", encoding="utf-8")


def _read_stderr(logs: Path, local_rank: int) -> str:
    """Return what a worker wrote to its standard error; torchrun keeps it in <run>/attempt_0/<local rank>/."""
    found = sorted(logs.glob(f"*/attempt_*/{local_rank}/stderr.log"))
    return found[-1].read_text(encoding="utf-8", errors="replace") if found else ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
