"""The numeric verifier beside Math-Verify and two rules that look for the last number: speed and quality in one run."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

from cotdistill.registry import make
from cotdistill.verifiers import cpu_s
from tests.bench.command import Row

ANSWER = (
    "Let us think about it together. Anna has {a} shells and finds {b} more at the beach, so we add.\n\n"
    "**Step 1:** {a} + {b} = {c}. Each shell is worth 2 coins, but that is not what is asked.\n\n"
    "**Answer: {c} shells.**\n\nNow try one yourself: Ben has 12 shells and loses 5. How many are left?\n"
)
Judge = Callable[[str, str], bool]

_BASELINE = "lm-eval flexible-extract"


def measure(traces: Path | None) -> list[Row]:
    judges = {
        **{kind: _correct_by(kind) for kind in ("numeric", "math", "auto")},
        "Math-Verify alone": math_verify(),
        _BASELINE: flexible_extract,
        "last number": last_number,
    }
    pairs, labelled = list(made(2000)), read(traces) if traces else []
    rates = {name: speed(judge, pairs[: 100 if "Math-Verify" in name else None]) for name, judge in judges.items()}
    rows = []
    for name, judge in judges.items():
        against = f"{rates[name] / rates[_BASELINE]:.3g} x {_BASELINE}"
        rows.append(Row(f"{name}: answers of 1 KB", rates[name], "per second", against))
        if labelled:
            rows += quality(name, judge, labelled)
    return rows


def quality(name: str, judge: Judge, labelled: list[tuple[str, str, bool]]) -> list[Row]:
    """Return speed, precision and recall on labelled answers."""
    rate = speed(judge, [(gold, answer) for gold, answer, _ in labelled])
    found = [(judge(gold, answer), equal) for gold, answer, equal in labelled]
    right = sum(said and equal for said, equal in found)
    against = f"of {len(found)} labelled answers"
    return [
        Row(f"{name}: labelled answers", rate, "per second", against),
        Row(f"{name}: precision", right / max(1, sum(said for said, _ in found)), "", against),
        Row(f"{name}: recall", right / max(1, sum(equal for _, equal in found)), "", against),
    ]


def _correct_by(kind: str) -> Judge:
    verify = make("verifiers", kind)
    return lambda gold, answer: verify(gold, answer).outcome == "correct"


def math_verify() -> Judge:
    """Return Math-Verify as its documentation uses it, on the whole answer, without its time-outs."""
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns of time-outs that are off

    def judge(gold: str, answer: str) -> bool:
        expected, found = (parse(text, parsing_timeout=None) for text in (_bare(gold), answer))
        return bool(verify(expected, found, timeout_seconds=None))

    return judge


# lm-evaluation-harness 0.4.13, lm_eval/tasks/gsm8k/gsm8k.yaml: the filter `flexible-extract` takes the last match; then
# exact_match removes what `regexes_to_ignore` names and ignores case.
_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_IGNORED = re.compile(r",|\$|(?s:.*)#### |\.$")


def flexible_extract(gold: str, answer: str) -> bool:
    found = _FLEXIBLE.findall(answer)
    last = next(filter(None, found[-1])).strip() if found else "[invalid]"
    return _IGNORED.sub("", last) == _IGNORED.sub("", gold)


def last_number(gold: str, answer: str) -> bool:
    found = re.findall(r"-?\d[\d,]*\.?\d*", answer)
    return bool(found) and found[-1].rstrip(".").replace(",", "") == _bare(gold).replace(",", "")


def _bare(gold: str) -> str:
    return gold.rpartition("####")[2].strip()


def made(count: int) -> list[tuple[str, str]]:
    """Return pairs of gold and an answer of about 1 KB."""
    pairs = []
    for n in range(count):
        text = ANSWER.format(a=n, b=7, c=n + 7)
        pairs.append(
            (str(n + 7), "She walks along the sea and looks at the waves. " * ((1000 - len(text)) // 48) + text)
        )
    return pairs


def speed(judge: Judge, pairs: list[tuple[str, str]]) -> float:
    started = cpu_s()
    for gold, answer in pairs:
        judge(gold, answer)
    return len(pairs) / (cpu_s() - started)


def read(traces: Path) -> list[tuple[str, str, bool]]:
    rows = [json.loads(line) for line in traces.read_text(encoding="utf-8").splitlines()]
    return [(row["gold"], row["answer"], row["equal"]) for row in rows]
