"""From what lm-eval logs to rows: what decides, what is shown apart, and how several tasks make one number."""

import math

import pytest

from cotdistill.scoring.harness.rows import JudgedBy, judged_by, scores, summary
from cotdistill.scoring.harness.tasks import HarnessTask, Subtask

GSM8K = Subtask("gsm8k", "", {"task": "gsm8k"})
ANATOMY = Subtask("mmlu_anatomy", "anatomy", {"task": "mmlu_anatomy"})


def generated(number, text, found, value, *, name="flexible-extract", limit=50):
    return {
        "doc_id": number,
        "doc": {"question": f"How many, {number}?", "answer": "It is so.\n#### 18"},
        "target": "It is so.\n#### 18",
        "arguments": [("Question: …", {"until": ["Question:"], "max_gen_toks": limit})],
        "resps": [[text]],
        "filtered_resps": [found],
        "filter": name,
        "metrics": ["exact_match"],
        "exact_match": value,
    }


def chosen(number, likelihoods, target, *, value):
    return {
        "doc_id": number,
        "doc": {"question": "Which?", "choices": ["ant", "bee", "cat", "dog"], "answer": target},
        "target": target,
        "arguments": [("Which?", f" {letter}") for letter in "ABCD"],
        "resps": [[(likelihood, False)] for likelihood in likelihoods],
        "filtered_resps": [(likelihood, False) for likelihood in likelihoods],
        "filter": "none",
        "metrics": ["acc"],
        "acc": value,
    }


def rows(subtask, samples):
    by = judged_by(samples)
    return list(scores("exam", subtask, samples, by, identity="weights", tokens=lambda text: len(text.split())))


def test_a_row_says_what_was_found_and_by_which_metric_and_filter():
    right, wrong, nothing = rows(
        GSM8K,
        [
            generated(0, "so 18", "18", 1.0),
            generated(1, "so 7", "7", 0.0),
            generated(2, "I do not know", "[invalid]", 0.0),
        ],
    )
    assert [row.verdict.outcome for row in (right, wrong, nothing)] == ["correct", "wrong", "unparsed"]
    assert right.verdict.reason == "lm-eval: exact_match, filter flexible-extract"
    assert (right.verdict.extracted, nothing.verdict.extracted) == ("18", None)
    assert (right.problem.gold, right.problem.question) == ("18", "How many, 0?")
    assert right.completion.text == "so 18" and right.completion.usage.completion_tokens == 2


def test_an_answer_as_long_as_it_may_be_counts_as_cut_off():
    cut, whole = rows(GSM8K, [generated(0, "1 2 3 4", "4", 0.0, limit=4), generated(1, "1 2 3 4", "4", 0.0, limit=5)])
    assert (cut.completion.status, whole.completion.status) == ("truncated", "ok")


def test_a_choice_is_the_most_probable_letter():
    (row,) = rows(ANATOMY, [chosen(3, [-4.0, -1.5, -2.0, -9.0], 1, value=1.0)])
    assert (row.verdict.extracted, row.problem.gold, row.completion.text) == ("B", "B", "B")
    assert row.problem.choices == ("ant", "bee", "cat", "dog")
    assert (row.problem.id, row.problem.group, row.task) == ("mmlu_anatomy/3", "anatomy", "exam")


@pytest.mark.parametrize(
    ("filters", "wanted", "found"),
    [
        (["strict-match", "flexible-extract"], None, "flexible-extract"),
        (["strict-match", "flexible-extract"], "strict-match", "strict-match"),
        (["get-answer", "other"], None, "get-answer"),
        (["get-answer"], "strict-match", "get-answer"),
    ],
)
def test_a_filter_that_finds_numbers_anywhere_decides_unless_another_is_named(filters, wanted, found):
    samples = [generated(0, "18", "18", 1.0, name=name) for name in filters]
    assert judged_by(samples, wanted) == JudgedBy("exact_match", found)


def test_a_metric_that_is_not_0_or_1_for_each_answer_decides_nothing():
    assert judged_by([generated(0, "a", "a", 0.37), generated(1, "b", "b", 1.0)]) is None
    sample = generated(0, "a", "a", 1.0) | {"metrics": ["inst", "strict"], "inst": [True, False], "strict": True}
    assert judged_by([sample]) == JudgedBy("strict", "flexible-extract")


def test_a_mean_is_weighted_where_the_rule_says_so():
    names = ("a", "b")
    subtasks = tuple(Subtask(name, name, {}) for name in names)
    results = {
        "a": {"sample_len": 1, "acc,none": 1.0, "alias": "a"},
        "b": {"sample_len": 3, "acc,none": 0.0, "alias": "b"},
    }
    by = dict.fromkeys(names, JudgedBy("acc", "none"))
    plain = summary(HarnessTask("t", subtasks, is_weighted=False), results, by)
    weighted = summary(HarnessTask("t", subtasks, is_weighted=True), results, by)
    assert (plain["accuracy"], plain["rule"]) == (0.5, "unweighted mean over 2 tasks")
    assert math.isclose(weighted["accuracy"], 0.25) and weighted["rule"] == "mean weighted by size over 2 tasks"
    assert plain["n"] == 4 and plain["subtasks"]["a"] == {"acc,none": 1.0}
    # What one task has no number for has no mean.
    assert summary(HarnessTask("t", subtasks, is_weighted=False), results, {"a": by["a"]})["accuracy"] is None
