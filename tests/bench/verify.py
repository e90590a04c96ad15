"""The numeric verifier beside the rule that most tools use, the last number in the text: speed and quality."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from cotdistill.registry import make
from tests.bench.command import Row

ANSWER = (
    "Let us think about it together. Anna has {a} shells and finds {b} more at the beach, so we add.\n\n"
    "**Step 1:** {a} + {b} = {c}. Each shell is worth 2 coins, but that is not what is asked.\n\n"
    "**Answer: {c} shells.**\n\nNow try one yourself: Ben has 12 shells and loses 5. How many are left?\n"
)
Judge = Callable[[str, str], bool]


def measure(traces: Path | None) -> list[Row]:
    pairs = list(made(2000))
    numeric = make("verifiers", "numeric")
    judges: dict[str, Judge] = {
        "numeric": lambda gold, answer: numeric(gold, answer).outcome == "correct",
        "last number": last_number,
    }
    rows = []
    baseline = speed(judges["last number"], pairs)
    for name, judge in judges.items():
        rate = speed(judge, pairs)
        rows.append(Row(f"{name}: answers of 1 KB", rate, "per second", f"{rate / baseline:.2f} x the last number"))
    labelled = read(traces) if traces else []
    for name, judge in judges.items() if labelled else ():
        found = [(judge(gold, answer), equal) for gold, answer, equal in labelled]
        right = sum(said and equal for said, equal in found)
        precision = right / max(1, sum(said for said, _ in found))
        recall = right / max(1, sum(equal for _, equal in found))
        rows.append(Row(f"{name}: precision", precision, "", f"of {len(found)} labelled answers"))
        rows.append(Row(f"{name}: recall", recall, "", f"of {len(found)} labelled answers"))
    return rows


def made(count: int) -> list[tuple[str, str]]:
    """Return pairs of gold and an answer of about 1 KB."""
    pairs = []
    for n in range(count):
        text = ANSWER.format(a=n, b=7, c=n + 7)
        pairs.append(
            (str(n + 7), "She walks along the sea and looks at the waves. " * ((1000 - len(text)) // 48) + text)
        )
    return pairs


def last_number(gold: str, answer: str) -> bool:
    found = re.findall(r"-?\d[\d,]*\.?\d*", answer)
    return bool(found) and found[-1].rstrip(".").replace(",", "") == gold.replace(",", "")


def speed(judge: Judge, pairs: list[tuple[str, str]]) -> float:
    started = time.process_time()
    for gold, answer in pairs:
        judge(gold, answer)
    return len(pairs) / (time.process_time() - started)


def read(traces: Path) -> list[tuple[str, str, bool]]:
    rows = [json.loads(line) for line in traces.read_text(encoding="utf-8").splitlines()]
    return [(row["gold"], row["answer"], row["equal"]) for row in rows]
