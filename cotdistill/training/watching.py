"""What a person sees while a training runs, from the last row of its metrics."""

import json
from pathlib import Path

TAIL_BYTES = 4096
"""More than a row of metrics.jsonl has."""


def note(metrics: Path) -> str | None:
    """Return `loss 1.93, 40,960 tokens/s, MFU 43 %, 20 min left`; None before the first row."""
    try:
        with metrics.open("rb") as file:
            file.seek(max(0, metrics.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines(keepends=True)
    except FileNotFoundError:
        return None
    rows = [json.loads(line) for line in lines[-2:] if line.startswith("{") and line.endswith("}\n")]
    row = next((row for row in reversed(rows) if "loss" in row), None)
    if row is None:
        return None
    parts = [f"loss {row['loss']:.4g}"]
    if row.get("tokens_per_second"):
        parts.append(f"{row['tokens_per_second']:,.0f} tokens/s")
    if row.get("mfu"):
        parts.append(f"MFU {row['mfu']:.0%}")
    if row.get("seconds_left"):
        parts.append(f"{duration(row['seconds_left'])} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time in its two largest units: `2 h 10 min`, `20 min`, `45 s`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
