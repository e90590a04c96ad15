"""Exceptions on their way from a worker to the command."""

import pickle


def sendable(error: BaseException) -> BaseException:
    """Return an exception that arrives as it is, or one that says the same where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an exception of another package does when it is pickled
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
