"""From recorded log-probabilities to candidates of the student, beside its token rows."""

import json
import random

import pytest

from cotdistill.errors import UserError
from cotdistill.records import Conversation, Message
from cotdistill.training.prepare.teacher_tokens import TeacherToken, TeacherTokens
from cotdistill.training.prepare.teacher_topk import prepare_topk, supervised_ids, top_k
from cotdistill.training.prepare.token_bytes import TokenBytes
from cotdistill.training.prepare.tokenfile import TokenFile, write_rows
from cotdistill.training.prepare.tokens import Encoder
from cotdistill.training.prepare.topk_file import TopKFile, TopKRow, write_topk
from tests.support.logprobs import said, write_logprobs


def conversation(answer, name="p0/0"):
    return Conversation(
        id=name,
        messages=(Message(role="user", content="What is 12 + 7?"), Message(role="assistant", content=answer)),
    )


def row_of(answer, tokenizer):
    (row,) = Encoder(tokenizer).encode([conversation(answer)])
    return row


def alike(answer, tokenizer, vocabulary, rng):
    """What a teacher with the student's own vocabulary says: each token, with four others."""
    tokens = vocabulary.of(supervised_ids(row_of(answer, tokenizer).labels)[:-1])
    others = vocabulary.of(rng.sample(range(3, len(tokenizer)), 20))
    return [
        TeacherToken(token, {token: 0.5, **{other: rng.uniform(0, 0.125) for other in others[:4] if other != token}})
        for token in tokens
    ]


@pytest.mark.parametrize("answer", ["The answer is 19.", "答案是 19。", "é😀 = 19\n\n", " 19"])
def test_tokens_come_together_to_the_text(tokenizer, answer):
    vocabulary = TokenBytes(tokenizer)
    ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
    assert b"".join(vocabulary.of(ids)) == answer.encode()
    assert all(vocabulary.find(text) == token for text, token in zip(vocabulary.of(ids), ids, strict=True))
    assert vocabulary.of([tokenizer.eos_token_id]) == [b""]
    assert vocabulary.find(b"") is vocabulary.find("\ufffd".encode()) is None


def test_a_sentencepiece_vocabulary_has_spaces_and_single_bytes():
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    pieces = {"<unk>": 0, "<0x41>": 1, "A": 2, "▁the": 3, "<0xE7>": 4, "\n": 5}
    bpe = Tokenizer(models.BPE(vocab=pieces, merges=[], byte_fallback=True, unk_token="<unk>"))
    bpe.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    vocabulary = TokenBytes(PreTrainedTokenizerFast(tokenizer_object=bpe, unk_token="<unk>"))
    assert vocabulary.of([1, 2, 3, 4, 5]) == [b"A", b"A", b" the", b"\xe7", b"\n"]
    assert (vocabulary.find(b"A"), vocabulary.find(b"\xe7")) == (2, 4), "a bare byte comes last"


def test_where_both_tokenise_alike_every_token_but_the_end_has_the_teachers_distribution(tokenizer):
    vocabulary, answer = TokenBytes(tokenizer), "The answer is 19, 答案是 19."
    teacher = alike(answer, tokenizer, vocabulary, random.Random(1))
    row = row_of(answer, tokenizer)
    columns = top_k(row, teacher, vocabulary, k=5)
    assert len(columns.ids_NK) == len(teacher) + 1 == len(supervised_ids(row.labels))
    assert not columns.probs_NK[-1].any(), "what ends an answer is the student's own"
    for token, ids, probs in zip(teacher, columns.ids_NK, columns.probs_NK, strict=False):
        total = sum(token.candidates.values())
        expected = {vocabulary.find(text): p / total for text, p in token.candidates.items()}
        assert dict(zip(ids[probs > 0].tolist(), probs[probs > 0].tolist(), strict=True)) == pytest.approx(expected)


def test_a_candidate_that_is_no_token_of_the_student_is_left_out(tokenizer):
    vocabulary, (seven,) = TokenBytes(tokenizer), tokenizer("7", add_special_tokens=False)["input_ids"]
    row = row_of("7", tokenizer)
    teacher = [TeacherToken(b"7", {b"7": 0.6, b" seventeen": 0.2, b"": 0.1, b"8": 0.05})]
    columns = top_k(row, teacher, vocabulary, k=3)
    assert (columns.ids_NK[0].tolist(), columns.probs_NK[0].tolist()) == ([seven, 0, 0], [1, 0, 0])
    mostly_else = [TeacherToken(b"7", {b"7": 0.2, b" seventeen": 0.7})]
    assert not top_k(row, mostly_else, vocabulary, k=3).probs_NK.any(), "learned by cross-entropy"


def test_columns_are_found_by_id_and_an_id_of_two_rows_finds_none(tmp_path):
    import numpy as np

    def row(*numbers):
        ids = np.array([[n, n + 1] for n in numbers])
        return TopKRow(ids, np.full(ids.shape, 0.5))

    write_topk([("b/0", row(1, 2)), ("a/0", row(3)), ("c/0", row(4)), ("é/1", row(5)), ("c/0", row(6))], tmp_path)
    file = TopKFile(tmp_path, 2)
    assert file.find("b/0").ids_NK.tolist() == [[1, 2], [2, 3]]
    assert file.find("é/1").probs_NK.tolist() == [[0.5, 0.5]]
    assert file.find("c/0") is file.find("d/0") is None
    write_topk([], tmp_path)
    assert TopKFile(tmp_path, 2).find("a/0") is None


def tokens_of(rows, folder):
    write_rows(rows, folder)
    return folder


def test_the_share_of_tokens_that_are_compared_is_counted_and_made_once(tmp_path, tokenizer, caplog):
    caplog.set_level("INFO")
    rows = list(Encoder(tokenizer).encode([conversation("19.", "p0/0"), conversation("20", "p/1/3")]))
    folder = tokens_of(rows, tmp_path)
    file = write_logprobs(tmp_path / "l.jsonl", {"p0/0": [said("19", 0.9), said(".", 0.5, {"!": 0.5})]})
    made = prepare_topk(folder, tokenizer, file, k=5)
    counts = made.counts
    assert (counts.rows, counts.rows_with_any, counts.supervised_tokens) == (2, 1, 7)
    assert counts.compared_tokens == 1, "19 is two tokens of this vocabulary"
    assert "14.3% of 7 supervised tokens, in 1 of 2 rows, have the teacher's top 5" in caplog.text
    stamp = (made.folder / "topk.json").stat().st_mtime_ns
    assert prepare_topk(folder, tokenizer, file, k=5) == made
    assert (made.folder / "topk.json").stat().st_mtime_ns == stamp
    assert prepare_topk(folder, tokenizer, file, k=2).folder != made.folder
    columns = TopKFile(made.folder, 5).find("p0/0")
    assert [row.round(3).tolist() for row in columns.probs_NK][2] == [0.5, 0.5, 0, 0, 0]
    assert TokenFile(folder)[0].id == "p0/0"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (None, "come without the teacher's log-probabilities"),
        ([], "none of the 1 rows has log-probabilities that fit its tokens"),
        ([{"problem_id": "p0", "index": 0}], "none of the 1 rows"),
        (["x"], "l.jsonl:1: is no row of log-probabilities"),
        ([{"problem_id": "p0", "index": 0}, {"index": 3}], "l.jsonl:2: is no row"),
    ],
)
def test_what_has_no_log_probabilities_is_refused(tmp_path, tokenizer, lines, message):
    folder = tokens_of([row_of("19.", tokenizer)], tmp_path)
    file = tmp_path / "l.jsonl"
    if lines is not None:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match=message):
        prepare_topk(folder, tokenizer, file if lines is not None else None, k=5)
    with pytest.raises(UserError, match="no such file"):
        prepare_topk(folder, tokenizer, tmp_path / "none", k=5)


GOOD = {"token": "7", "logprob": -0.1, "top_logprobs": []}


@pytest.mark.parametrize(
    "content",
    [
        [1],
        7,
        "seven",
        [{}],
        [{"token": "7"}],
        [GOOD, {"token": "7", "logprob": None}],
        [{**GOOD, "bytes": [300]}],
        [{**GOOD, "top_logprobs": [3]}],
        [{**GOOD, "logprob": 1e6}],
        [{**GOOD, "bytes": ["a"]}],
    ],
)
def test_a_row_that_cannot_be_read_has_no_tokens(tmp_path, content):
    file = tmp_path / "l.jsonl"
    rows = [{"problem_id": "p0", "index": 0, "content": content}, {"problem_id": "p1", "index": 2, "content": [GOOD]}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = TeacherTokens(file)
    assert found.find("p0/0") == found.find("p2/0") == []
    assert [token.text for token in found.find("p1/2")] == [b"7"]


def test_thinking_that_is_recorded_apart_was_said_first(tmp_path):
    row = {"problem_id": "p", "index": 0, "content": [said("7", 1.0)], "reasoning_content": [said("Hm", 0.5)]}
    (tmp_path / "l.jsonl").write_text(json.dumps(row) + "\n")
    found = TeacherTokens(tmp_path / "l.jsonl").find("p/0")
    assert [token.text for token in found] == [b"Hm", b"7"]
    assert found[0].candidates == {b"Hm": pytest.approx(0.5)}
