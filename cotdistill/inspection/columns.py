"""Which column of a data set became what, as lines for people."""

from collections import Counter
from collections.abc import Mapping

from cotdistill.data import Dataset


def column_lines(dataset: Dataset) -> list[str]:
    """Return the line that says what the first rows are read from; none where there are none."""
    found = dataset.columns()
    said = ", ".join(f"{role} from {_columns(columns, found)}" for role, columns in found.items())
    return [f"columns: {said}"] if said else []


def _columns(columns: Counter[str], found: Mapping[str, Counter[str]]) -> str:
    """Return the columns of one role: `problem`, or `gold` (2 of 3 rows) where others have none."""
    rows = max(sum(of.values()) for of in found.values())
    return " or ".join(
        f"`{column}`" + (f" ({count:,} of {rows:,} rows)" if count < rows else "") for column, count in columns.items()
    )
