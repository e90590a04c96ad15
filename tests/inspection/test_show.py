import json

import pytest

from cotdistill.data import Catalog
from cotdistill.inspection.show import render_rows
from cotdistill.registry import make
from cotdistill.training.prepare.tokens import Encoder

ROWS = [
    {"question": "What is 1 + 2?", "reasoning": "1 + 2 = 3", "answer": "3"},
    {"question": "What is 4 + 4?", "reasoning": "4 + 4 = 8", "answer": "8"},
]


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(ROWS))
    return Catalog(()).find(str(tmp_path / "x.json"))


def test_exactly_the_answer_and_its_end_are_learned(dataset, tokenizer):
    encoder = Encoder(tokenizer)
    style = make("styles", "plain")
    (row,) = render_rows(dataset, style, encoder, count=1)
    assert [span.is_supervised for span in row.spans] == [False, True]
    given, learned = ("".join(span.tokens) for span in row.spans)
    assert "What is 1 + 2" in " ".join(given.split()) or "What" in given
    assert tokenizer.convert_ids_to_tokens(encoder.end_id) in learned
    assert row.title.startswith(dataset.files[0].as_posix() + ":1: ")


def test_without_a_tokenizer_the_answer_alone_is_learned(dataset):
    rows = list(render_rows(dataset, make("styles", "think"), None, count=5))
    assert len(rows) == 2
    learned = ["".join(span.tokens) for row in rows for span in row.spans if span.is_supervised]
    assert learned == ["<think>\n1 + 2 = 3\n</think>\n\n3", "<think>\n4 + 4 = 8\n</think>\n\n8"]


def test_of_a_problem_nothing_is_learned(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"question": "q", "gold": "1"}')
    (row,) = render_rows(Catalog(()).find(str(tmp_path / "p.jsonl")), make("styles", "think"), None, count=1)
    assert not any(span.is_supervised for span in row.spans)


@pytest.mark.parametrize(("masks_history", "learned"), [(False, ["3", "8"]), (True, ["8"])])
def test_of_several_answers_all_are_learned_or_the_last(tmp_path, tokenizer, masks_history, learned):
    turns = [{"from": "human", "value": "1 + 2?"}, {"from": "gpt", "value": "3"}]
    turns += [{"from": "human", "value": "4 + 4?"}, {"from": "gpt", "value": "8"}]
    (tmp_path / "c.json").write_text(json.dumps([{"conversations": turns}]))
    dataset, style = Catalog(()).find(str(tmp_path / "c.json")), make("styles", "think")
    for encoder, end in ((None, ""), (Encoder(tokenizer, masks_history=masks_history), "<|im_end|>")):
        (row,) = render_rows(dataset, style, encoder, count=1, masks_history=masks_history)
        found = ["".join(span.tokens) for span in row.spans if span.is_supervised]
        assert found == [text + end for text in learned]
