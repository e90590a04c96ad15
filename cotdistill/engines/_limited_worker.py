"""The process of limited calls: `python -P _limited_worker.py SCRIPT FD`, where FD is its end of a pair of sockets.

It says that it is ready, then answers each request with what the script's `main` returns. A call that takes longer
than its seconds or raises ends the process. The kernel does the killing, so that nothing that is called can prevent it
and none goes on when the process that asked is gone. It imports nothing of the package: it shares no lock, thread or
file with the process that asked.
"""

import contextlib
import json
import resource
import runpy
import signal
import sys
import time
from multiprocessing.connection import Connection


def main(script: str, descriptor: int) -> None:
    """Answer requests one after the other until the connection is closed."""
    asked = Connection(descriptor)
    function = runpy.run_path(script)["main"]
    reply: list[object] = []
    with contextlib.suppress(EOFError, OSError):
        while True:
            asked.send_bytes(json.dumps(reply).encode())
            arguments, timeout_s, memory_mb = json.loads(asked.recv_bytes())
            _limit(timeout_s, memory_mb)
            started = time.process_time()
            result = function(*arguments)
            signal.setitimer(signal.ITIMER_PROF, 0)
            reply = [result, time.process_time() - started]


def _limit(timeout_s: float, memory_mb: int) -> None:
    """Let the kernel end this process after some CPU time; refuse it memory past a limit."""
    signal.setitimer(signal.ITIMER_PROF, timeout_s)
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    size_bytes = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes if most < 0 else min(size_bytes, most), most))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
