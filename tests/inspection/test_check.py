import json

import pytest

from cotdistill.data import Catalog
from cotdistill.filters.contamination import BenchmarkIndex
from cotdistill.inspection.check import CheckContext, check_dataset
from cotdistill.records import Problem
from cotdistill.registry import make
from cotdistill.training.prepare.tokens import Encoder

STYLE = make("styles", "think")


def found(path, rows, **tools):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return check_dataset(Catalog(()).find(str(path)), CheckContext(style=STYLE, **tools))


def trace(question="q", reasoning="r", answer="a", **more):
    return {"question": question, "reasoning": reasoning, "answer": answer, **more}


def chat(question, answer):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


@pytest.mark.parametrize(
    ("rows", "name", "level", "count"),
    [
        ([trace(), trace(answer="b")], "duplicates", None, 0),
        ([trace(), trace("q2"), trace(answer=" a ")], "duplicates", "warning", 1),
        ([{"question": "q"}, {"question": "q"}], "duplicates", "warning", 1),
        ([trace(reasoning="")], "empty reasoning", "warning", 1),
        ([trace(answer="")], "no answer after the reasoning", "warning", 1),
        ([trace(reasoning="so <think> again")], "orphan or unclosed think tags", "fault", 1),
        ([chat("q", "<think>r</think>a")], "orphan or unclosed think tags", None, 0),
        ([chat("q", "<think>r</think>a</think>")], "orphan or unclosed think tags", "fault", 1),
        ([chat("q", "<think>\n\n</think>a")], "empty reasoning", "warning", 1),
        ([chat("end with <|im_end|>", "a")], "special tokens in the question", "warning", 1),
        ([trace(gold="1"), trace("q2")], "rows without a gold answer", "warning", 1),
        ([trace(gold="72"), trace("q2"), trace(gold="70")], "questions with several gold answers", "fault", 1),
        ([trace(gold="72"), trace(gold="72", answer="b")], "questions with several gold answers", None, 0),
        ([trace(), {"question": 3, "reasoning": "", "answer": ""}], "bad rows", "fault", 1),
    ],
)
def test_each_trouble_is_counted_at_its_level(tmp_path, rows, name, level, count):
    examination = found(tmp_path / "x.jsonl", rows)
    assert name in examination.checked
    told = {finding.name: finding for finding in examination.findings}
    assert (told[name].level, told[name].count) == (level, count) if level else name not in told
    assert examination.is_sound is (level != "fault")


def test_a_sound_set_says_what_was_looked_for(tmp_path):
    examination = found(tmp_path / "x.jsonl", [trace(gold="a"), trace("q2", gold="a")])
    assert examination.findings == ()
    assert examination.lines()[0] == f"{tmp_path}/x.jsonl: 2 traces in {tmp_path}/x.jsonl"
    assert "duplicates" in examination.lines()[-1]


def test_an_example_says_where_and_what_was_found(tmp_path):
    (finding,) = found(tmp_path / "x.jsonl", [trace(reasoning="so <think> again", gold="a")]).findings
    assert finding.examples == (
        f"{tmp_path}/x.jsonl:1: 1 thinking tags in the reasoning (limit 0), the first `<think>`",
    )


def test_every_bad_row_is_counted_and_the_first_ones_are_listed(tmp_path):
    examination = found(tmp_path / "x.jsonl", [{"question": n} for n in range(2000)])
    (finding,) = examination.findings
    assert (finding.count, len(finding.examples), examination.rows) == (2000, 10, 0)
    assert "and 1,990 more" in "\n".join(examination.lines())


def test_lengths_are_those_of_the_students_tokens(tmp_path, tokenizer):
    rows = [trace("What is 1 + 2?", "1 + 2 = 3", "3")] * 3 + [trace("What is 1 + 2?", "1 + 2 = 3 " * 40, "3")]
    examination = found(tmp_path / "x.jsonl", rows, encoder=Encoder(tokenizer), cutoff_len=60)
    lengths = examination.lengths
    assert lengths.percentile(50) < 60 < lengths.percentile(99) == max(lengths.whole)
    assert lengths.overlong == 1
    told = {finding.name: finding.count for finding in examination.findings}
    assert told["rows over cutoff_len"] == 1
    assert examination.as_json()["tokens"]["overlong"] == 1
    assert any("1 of 4 rows are longer and would be left out" in line for line in examination.lines())


def test_overlap_with_an_evaluation_set_is_a_fault(tmp_path):
    question = "A farmer has 12 cows and sells 5 of them. How many are left on the farm?"
    benchmarks = BenchmarkIndex({"holdout": [Problem(id="e1", question=question, gold="7")]})
    rows = [trace("Another question?"), trace(question.upper())]
    examination = found(tmp_path / "x.jsonl", rows, benchmarks=benchmarks)
    told = {finding.name: finding for finding in examination.findings}
    assert told["overlap with the evaluation sets"].count == 1
    assert "problem e1 of `holdout`" in told["overlap with the evaluation sets"].examples[0]
    assert not examination.is_sound
