"""A Python process of our own and the connection to it."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection


class Child:
    """One process, which is told the number of its end of the connection by its last argument."""

    def __init__(self, *command: str, env: Mapping[str, str], output: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", *command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                env=env,
                start_new_session=True,  # Ctrl-C is for the process that started it
            )
        self.connection = Connection(ours.detach())

    def end(self, patience_s: float = 0.0) -> None:
        """End the process, whatever it is doing: it has some seconds to do that by itself."""
        self.connection.close()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
