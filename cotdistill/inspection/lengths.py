"""How long rows are for the student, and what a cutoff_len costs."""

from array import array
from dataclasses import dataclass, field
from typing import Any

PERCENTILES = (50, 90, 99)


@dataclass
class Lengths:
    """Lengths in tokens, added row by row; 16 bytes a row."""

    cutoff_len: int | None = None
    whole: "array[int]" = field(default_factory=lambda: array("q"))
    supervised: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, *, tokens: int, supervised: int) -> None:
        """Count one row."""
        self.whole.append(tokens)
        self.supervised.append(supervised)

    @property
    def overlong(self) -> int:
        """Rows longer than cutoff_len, which training leaves out whole."""
        return sum(length > self.cutoff_len for length in self.whole) if self.cutoff_len else 0

    def percentile(self, share: int) -> int:
        """Return the length that `share` % of the rows do not exceed."""
        ordered = sorted(self.whole)
        return ordered[-(-len(ordered) * share // 100) - 1]

    def lines(self) -> list[str]:
        """Return the lines of a report."""
        if not self.whole:
            return []
        parts = [f"{share} % of rows up to {self.percentile(share):,}" for share in PERCENTILES]
        total, learned = sum(self.whole), sum(self.supervised)
        lines = [
            f"tokens: {', '.join(parts)}, the longest {max(self.whole):,}; "
            f"{total:,} in all, {learned:,} of them learned"
        ]
        if self.cutoff_len:
            lost = sum(s for w, s in zip(self.whole, self.supervised, strict=True) if w > self.cutoff_len)
            lines.append(
                f"cutoff_len {self.cutoff_len:,}: {self.overlong:,} of {len(self.whole):,} rows are longer and would "
                f"be left out, with {lost / max(1, learned):.1%} of the learned tokens; "
                f"cutoff_len {self.percentile(99):,} keeps 99 % of the rows"
            )
        return lines

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return the lengths as JSON values."""
        if not self.whole:
            return {"rows": 0}
        return {
            "rows": len(self.whole),
            **{f"p{share}": self.percentile(share) for share in PERCENTILES},
            "max": max(self.whole),
            "total": sum(self.whole),
            "supervised": sum(self.supervised),
            "cutoff_len": self.cutoff_len,
            "overlong": self.overlong if self.cutoff_len else None,
        }
