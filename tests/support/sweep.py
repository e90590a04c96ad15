"""How much of a long proof is run: CI runs each sweep in its smallest form, `make test-all` the whole."""

import os

import pytest

IS_WHOLE = os.environ.get("SWEEPS") == "whole"


def cases(whole: int, *, smallest: int) -> int:
    """Return how many cases of a sweep to run."""
    return whole if IS_WHOLE else smallest


def whole(*values: object, id: str | None = None) -> object:
    """Return a case of a table that the whole sweep alone runs."""
    return pytest.param(*values, id=id, marks=pytest.mark.skipif(not IS_WHOLE, reason="SWEEPS=whole runs it"))
