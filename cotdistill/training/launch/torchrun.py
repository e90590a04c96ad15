"""torchrun with the exit code and the reason of its worker: torchrun itself ends with 1 whatever became of them.

python -m cotdistill.training.launch.torchrun 4-train/logs failure.txt --nproc_per_node=8 … -m worker …

What each rank writes goes to 4-train/logs/rank-<n>.log, and on to this process's own output with the rank before it.
The line that says why goes to failure.txt, unless a worker has left one there itself; below it stands the rank's log:
rank 3 was killed (SIGKILL), often for memory
4-train/logs/rank-3.log

A TERM signal, which a cluster sends to every process at once, does not end this process: the workers save first.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill.training.launch.reasons import why

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.api import LogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

TERMINATED = (-signal.SIGTERM, 128 + signal.SIGTERM)
"""How those end whom torchrun ends since another one has."""
DISTURBED = (1, -signal.SIGABRT)
"""How those end whom the end of another one leaves in the middle of a collective call."""
GRACE_S = 5
"""Time for the other ranks to end by themselves once one has failed: they take a TERM signal for a wish to save."""
ORPHAN_S = 3.0
"""Time for the ranks to end by themselves once the pipe from the command that started them is closed."""


def main(logs: Path, failure: Path, arguments: list[str]) -> int:
    """Run torchrun and return the exit code of the worker that failed first; one ended by signal n gives 128 + n."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch
    from torch.distributed.run import config_from_args, parse_args

    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    os.environ.setdefault("TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE", "[rank ${rank}] ")
    own = ["--signals-to-handle=SIGINT,SIGHUP,SIGQUIT", f"--shutdown-timeout={GRACE_S}"]
    config, command, command_arguments = config_from_args(parse_args([*own, *arguments]))
    with tempfile.TemporaryDirectory(prefix="cotdistill-ranks-", ignore_cleanup_errors=True) as scratch:
        config.logs_specs = _logs_by_rank(logs, scratch)
        try:
            elastic_launch(config=config, entrypoint=command)(*command_arguments)
        except ChildFailedError as error:
            rank, first = first_failure(error.failures)
            code: int = first.exitcode
            log = log_of(logs, rank)
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            note(failure, why(f"rank {rank}", code, said), code, log)
            return code if code > 0 else 128 - code
    return 0


def log_of(logs: Path, rank: int) -> Path:
    """Return the file with what a rank wrote to its standard error, in the newest start."""
    return logs / f"rank-{rank}.log"


def _logs_by_rank(logs: Path, scratch: str) -> "LogsSpecs":
    """Return where torchrun puts what the workers write: a file a rank, and all of it to its own output."""
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, LogsDest, Std

    class LogsByRank(DefaultLogsSpecs):  # type: ignore[misc]  # torch is not typed here
        def reify(self, envs: dict[int, dict[str, str]]) -> LogsDest:
            """Return torchrun's own places, but for standard error."""
            places = super().reify(envs)
            for local_rank, environment in envs.items():
                file = str(log_of(logs, int(environment["RANK"])))
                places.stderrs[local_rank] = places.tee_stderrs[local_rank] = file
            return places

    logs.mkdir(parents=True, exist_ok=True)
    return LogsByRank(log_dir=scratch, tee=Std.ERR)


def first_failure(failures: "Mapping[int, ProcessFailure]") -> "tuple[int, ProcessFailure]":
    """Return rank and failure of the worker whose end ended the others.

    torchrun notes them in the order in which it sees them end, some at the same look. One that does not heed its TERM
    is killed half a minute later.
    """
    earliest = min(failure.timestamp for failure in failures.values())
    early = [(rank, failure) for rank, failure in failures.items() if failure.timestamp <= earliest + 1]
    return min(early, key=lambda item: (item[1].exitcode in TERMINATED, item[1].exitcode in DISTURBED))


def note(failure: Path, line: str, code: int, log: Path) -> None:
    """Leave the reason: a worker that was killed could not, and what another wrote since is of its end."""
    is_killed = code < 0 and code not in (*TERMINATED, *DISTURBED)
    if not is_killed and failure.exists():
        line, *_ = failure.read_text(encoding="utf-8").splitlines() or [line]
    failure.write_text(f"{line}\n{log}\n", encoding="utf-8")


def _exit_with_parent() -> None:
    """End this process when the one that started it has ended; its workers, which wait for the same, go first."""
    if not sys.stdin or sys.stdin.isatty():
        return
    while os.read(sys.stdin.fileno(), 1):
        continue
    time.sleep(ORPHAN_S)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
