"""Finds the real data that some tests measure on and the project does not hold: a folder beside it, or $SHARED_DATA."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def json_rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file; the test is skipped where it is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no {name} in {FOLDER}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def tsv_rows(name: str) -> list[list[str]]:
    """Return the rows of a file of tab-separated columns; the test is skipped where it is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no {name} in {FOLDER}")
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
