"""One worker of a pool: `python -m cotdistill.engines._worker FD`, where FD is its end of a pair of sockets.

It says that it is ready, is sent what sets it up, then numbered blocks, and answers each with its number and result.
What sets it up for other work may follow.
It ends as soon as the other end is closed, in the middle of a block too.
"""

import contextlib
import os
import pickle
import queue
import sys
import threading
import traceback
from multiprocessing.connection import Connection

from cotdistill.engines._errors import sendable

READY = b""
"""First message of a worker."""
SETUP = -1
"""In place of a block's number."""


def main(descriptor: int) -> None:
    """Serve until the other end is closed."""
    # It is closed where the work ended before this process could begin.
    with contextlib.suppress(OSError):
        _serve(Connection(descriptor))


def _serve(pool: Connection) -> None:
    received: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pool, received), daemon=True).start()
    pool.send_bytes(READY)
    setup, function = b"", None
    while True:
        number, sent = pickle.loads(received.get())
        if number == SETUP:
            setup, function = sent, None
            continue
        try:
            if function is None:
                function = pickle.loads(setup)()
            reply = pickle.dumps((number, True, function(pickle.loads(sent))), pickle.HIGHEST_PROTOCOL)
        except BaseException as error:  # the pool raises it at the block's place
            lines = "".join(traceback.format_exception(error))
            reply = pickle.dumps((number, False, (sendable(error), lines)), pickle.HIGHEST_PROTOCOL)
        pool.send_bytes(reply)


def _receive(pool: Connection, received: "queue.SimpleQueue[bytes]") -> None:
    """Take messages as they come, so that the pool never waits while this process computes."""
    try:
        while True:
            received.put(pool.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
