"""What lm-eval logged -> rows of an evaluation, and each task's number with the rule that it is made by.

A logged sample: {"doc_id": 0, "doc": {…}, "target": "…#### 18", "resps": [["… 18"]], "filtered_resps": ["18"],
"filter": "flexible-extract", "metrics": ["exact_match"], "exact_match": 1.0, "arguments": [["Question: …", {…}]], …}
"""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cotdistill.records import Completion, Problem, Score, Usage, Verdict
from cotdistill.scoring.harness.local_data import QUESTIONS
from cotdistill.scoring.harness.options import DEFAULT_MAX_GEN_TOKS
from cotdistill.scoring.harness.tasks import HarnessTask, Subtask
from cotdistill.storage.keys import key_of

Json = Any  # Any: a JSON value
Sample = Mapping[str, Json]

METRICS = ("exact_match", "acc", "prompt_level_strict_acc")
"""Metrics that say of one answer whether it is right, the first that a task has."""
FILTER = "flexible-extract"
NOTHING_FOUND = "[invalid]"
"""What lm-eval's filters return where they find nothing."""


class JudgedBy(NamedTuple):
    """What says whether a row is right."""

    metric: str
    filter: str


def judged_by(samples: Sequence[Sample], wanted: str | None = None) -> JudgedBy | None:
    """Return the metric and the filter that decide; None where no metric is 0 or 1 for every answer."""
    filters: list[str] = list(dict.fromkeys(sample["filter"] for sample in samples))
    if not filters:
        return None
    name = next((choice for choice in (wanted, FILTER) if choice is not None and choice in filters), filters[0])
    rows = [sample for sample in samples if sample["filter"] == name]
    metrics = list(rows[0]["metrics"])
    for metric in [*(m for m in METRICS if m in metrics), *(m for m in metrics if m not in METRICS)]:
        if all(_is_binary(row.get(metric)) for row in rows):
            return JudgedBy(metric, name)
    return None


def _is_binary(value: Json) -> bool:
    return not isinstance(value, list | tuple | dict | str) and value in (0, 1)


def scores(
    task: str, subtask: Subtask, samples: Sequence[Sample], by: JudgedBy, *, identity: str, tokens: Callable[[str], int]
) -> Iterator[Score]:
    """Yield a row per question, in lm-eval's order.

    `tokens` counts those of a text, and `identity` tells the weights from others. lm-eval does not say why an answer
    ended: one of as many tokens as it may have counts as cut off.
    """
    for sample in samples:
        if sample["filter"] != by.filter:
            continue
        problem, choice = _problem(subtask, sample)
        is_right = bool(sample[by.metric])
        found = (problem.choices and choice) or _text(sample["filtered_resps"][0])
        outcome = "correct" if is_right else "unparsed" if found == NOTHING_FOUND else "wrong"
        yield Score(
            task=task,
            problem=problem,
            completion=_completion(sample, identity, choice, tokens),
            verdict=Verdict(
                outcome=outcome,
                extracted=None if found == NOTHING_FOUND else found,
                reason=f"lm-eval: {by.metric}, filter {by.filter}",
            ),
        )


def _problem(subtask: Subtask, sample: Sample) -> tuple[Problem, str]:
    """Return the question, and the letter of the choice that the model finds most probable, where it chose."""
    doc, target, arguments = sample["doc"], sample["target"], sample["arguments"]
    question = next((doc[key] for key in QUESTIONS if isinstance(doc.get(key), str)), _text(arguments[0][0]))
    choices: tuple[str, ...] = ()
    choice = ""
    if _is_choice(sample):
        given = doc.get("choices")
        is_list = isinstance(given, list) and len(given) == len(arguments)
        choices = tuple(map(str, given)) if is_list else tuple(str(pair[1]).strip() for pair in arguments)
        likelihoods = [response[0] for response in sample["filtered_resps"]]
        choice = _letter(likelihoods.index(max(likelihoods)))
    gold = _letter(target) if choices and isinstance(target, int) else str(target).rpartition("#### ")[2]
    name = f"{subtask.name}/{sample['doc_id']}"
    return Problem(id=name, question=question, gold=gold, choices=choices, group=subtask.group), choice


def _is_choice(sample: Sample) -> bool:
    """Return whether the model was asked how probable each of several answers is."""
    first = sample["filtered_resps"][0]
    return isinstance(first, list | tuple) and len(sample["filtered_resps"]) > 1


def _letter(number: int) -> str:
    return string.ascii_uppercase[number] if number < len(string.ascii_uppercase) else str(number)


def _text(value: Json) -> str:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return str(value)


def _completion(sample: Sample, identity: str, choice: str, tokens: Callable[[str], int]) -> Completion:
    text = choice or _text(sample["resps"][0])
    count = 0 if choice else tokens(text)
    limits = sample["arguments"][0][1:]
    allowed = limits[0].get("max_gen_toks", DEFAULT_MAX_GEN_TOKS) if limits and isinstance(limits[0], dict) else 0
    status = "truncated" if allowed and count >= allowed else "ok" if text.strip() else "empty_answer"
    return Completion(
        key=key_of([identity, sample.get("doc_hash"), sample.get("prompt_hash")]),
        index=0,
        text=text,
        status=status,
        finish_reason="length" if status == "truncated" else "stop",
        usage=Usage(completion_tokens=count),
    )


def summary(
    task: HarnessTask, results: Mapping[str, Mapping[str, Json]], by: Mapping[str, JudgedBy]
) -> dict[str, Json]:
    """Return a task's entry of report.json: its number, the rule behind it, and lm-eval's numbers of its tasks.

    `results` are lm-eval's by task, `by` what decided each of them. The number is None where a task has none.
    """
    found = [(results[sub.name], by[sub.name]) for sub in task.subtasks if sub.name in by]
    values = [row[f"{judged.metric},{judged.filter}"] for row, judged in found]
    sizes = [row["sample_len"] if task.is_weighted else 1 for row, _ in found]
    is_whole = len(found) == len(task.subtasks)
    return {
        "n": sum(row["sample_len"] for row, _ in found),
        "accuracy": sum(v * n for v, n in zip(values, sizes, strict=True)) / sum(sizes) if is_whole else None,
        "rule": task.rule,
        "judged_by": sorted({f"{judged.metric},{judged.filter}" for _, judged in found}),
        "subtasks": {
            sub.name: {key: value for key, value in results[sub.name].items() if "," in key} for sub in task.subtasks
        },
    }
