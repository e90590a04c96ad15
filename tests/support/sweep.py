"""How much of a long proof is run: CI runs each sweep in its smallest form, `make test-all` the whole."""

import os

IS_WHOLE = os.environ.get("SWEEPS") == "whole"


def cases(whole: int, *, smallest: int) -> int:
    """Return how many cases of a sweep to run."""
    return whole if IS_WHOLE else smallest
