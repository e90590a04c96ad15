"""torchrun with the worker's own exit code: torchrun itself ends with 1 whatever became of its workers."""

import signal
import sys


def main(arguments: list[str]) -> int:
    """Run torchrun and return the exit code of the worker that failed; one ended by signal n gives 128 + n."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    try:
        torchrun(arguments)
    except ChildFailedError as error:
        codes = [failure.exitcode for _, failure in sorted(error.failures.items())]
        # The end of one worker ends the others: with 1 in the middle of a collective call, or by torchrun's TERM.
        code = next((code for code in codes if code not in (1, -signal.SIGTERM)), 1 if 1 in codes else codes[0])
        return code if code > 0 else 128 - code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
