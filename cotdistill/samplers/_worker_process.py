"""A worker in a process of its own: one per device, since the threads of one process take turns at Python's lock.

Its argument is the number of a pipe, from which it reads a Job. Then it speaks, and is answered:

    ("ready",) or ("fault", message, where, hint)
    ("exchange", answers, room, is idle)            -> Orders
"""

import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

from cotdistill.errors import UserError
from cotdistill.samplers._asks import Orders, Said
from cotdistill.samplers._local_model import Source, load_text


class Job(NamedTuple):
    """What a worker process is for."""

    source: Source
    device: str
    batch_size: int


def main() -> None:
    """Load and answer until the other side closes the pipe."""
    # A Ctrl-C goes to all processes of the terminal; this one's end is the run's to choose.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    pipe = Connection(int(sys.argv[1]))
    try:
        _work(pipe)
    except UserError as fault:
        pipe.send(("fault", fault.message, fault.where, fault.hint))
    except (EOFError, ConnectionError):
        return


def _work(pipe: Connection) -> None:
    from cotdistill.samplers._worker import Worker

    def exchange(said: Sequence[Said], room: int, *, is_idle: bool) -> Orders:
        pipe.send(("exchange", list(said), room, is_idle))
        orders: Orders = pipe.recv()
        return orders

    job: Job = pipe.recv()
    worker = Worker(job.source, load_text(job.source).endings, device=job.device, batch_size=job.batch_size)
    pipe.send(("ready",))
    worker.serve(exchange)


if __name__ == "__main__":
    main()
