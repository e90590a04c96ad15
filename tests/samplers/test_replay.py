import asyncio
import json
import tracemalloc
from pathlib import Path

import pytest

from cotdistill.client.concurrency import SendGate
from cotdistill.data.readers import read_rows
from cotdistill.errors import UserError
from cotdistill.records import Completion, CompletionStatus, Problem, Sampling, Trace, Usage, problem_id
from cotdistill.samplers import Reply, Request, Unanswered, replay
from cotdistill.samplers.replay import Replay
from cotdistill.sampling.completions import read_completion
from cotdistill.storage.ledger import LedgerEntry

ROWS = [
    {"question": "How many clips?", "reasoning": "48 + 24", "answer": "**72**", "gold": "72", "id": "a"},
    {"question": "How many pens?", "reasoning": "1 + 1", "answer": "2"},
    {"question": "How  many\nclips? ", "reasoning": "24 + 48", "answer": "72"},
]


Answer = Reply | BaseException


def written(path: Path, rows: list[object], layout: str = "lines") -> Path:
    text = json.dumps(rows, indent=1) if layout == "array" else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text)
    return path


def drawn(path: Path, question: str, *indices: int, name: str = "other", gold: str | None = None) -> list[Answer]:
    sampler = Replay(path=path)
    problem = Problem(id=name, question=question, gold=gold)

    async def main() -> list[Answer]:
        async with sampler.session(SendGate()) as draw:
            requests = (Request(problem, sampler.messages(problem), Sampling(), index) for index in indices)
            return await asyncio.gather(*map(draw, requests), return_exceptions=True)

    return asyncio.run(main())


def read(reply: Reply | BaseException) -> Completion:
    assert isinstance(reply, Reply), reply
    entry = LedgerEntry(
        key="a" * 64,
        index=0,
        problem_id="p",
        response=reply.response,
        latency_s=reply.latency_s,
        first_content_s=reply.first_content_s,
        attempts=reply.attempts,
    )
    return read_completion(entry)


@pytest.mark.parametrize("layout", ["lines", "array"])
def test_the_completions_of_a_question_come_in_file_order(tmp_path: Path, layout: str) -> None:
    path = written(tmp_path / "traces.json", ROWS, layout)
    replies = drawn(path, "How many clips?", 1, 0)
    assert [(read(reply).reasoning, read(reply).text) for reply in replies] == [
        ("24 + 48", "72"),
        ("48 + 24", "**72**"),
    ]
    assert {read(reply).status for reply in replies} == {"ok"}


@pytest.mark.parametrize(("question", "index", "recorded"), [("How many clips?", 2, 2), ("Where?", 0, 0)])
def test_what_was_not_recorded_is_unanswered(tmp_path: Path, question: str, index: int, recorded: int) -> None:
    [error] = drawn(written(tmp_path / "traces.jsonl", ROWS), question, index)
    assert isinstance(error, Unanswered)
    assert str(error) == f"failed: {recorded} completions of this question are recorded"


@pytest.mark.parametrize(
    ("status", "reasoning", "text", "finish_reason"),
    [
        ("ok", "48 + 24", "72", "stop"),
        ("ok", "", "72", "stop"),
        ("truncated", "48 +", "", "length"),
        ("content_filter", "", "7", "content_filter"),
        ("empty_answer", "48", "", "stop"),
        ("empty_reasoning", "", "72", "stop"),
        ("refusal", "", "I cannot.", "stop"),
    ],
)
def test_a_trace_is_served_as_it_was(
    tmp_path: Path, status: CompletionStatus, reasoning: str, text: str, finish_reason: str
) -> None:
    completion = Completion(
        key="a" * 64,
        index=0,
        text=text,
        reasoning=reasoning,
        status=status,
        finish_reason=finish_reason,
        model="r1",
        usage=Usage(prompt_tokens=20, completion_tokens=9),
        latency_s=41.5,
        first_content_s=3.5,
        attempts=2,
    )
    trace = Trace(problem=Problem(id="p", question="How many clips?"), completion=completion)
    path = written(tmp_path / "rows.jsonl", [trace.model_dump()])
    [reply] = drawn(path, "How many clips?", 0)
    assert read(reply) == completion


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"question": "q", "answer": "a"}, ":3: reasoning: is missing"),
        ({"question": "q", "reasoning": "r", "answer": 72}, ":3: answer: must be a text, not int"),
        ({"q": "q"}, ":3: question: is missing"),
        ({"problem": {"id": "p"}, "completion": {}}, ":3: problem.question: is missing"),
        ("q", ":3: a row must be an object"),
    ],
)
def test_a_row_that_cannot_be_served_is_named_before_anything_is_asked(tmp_path: Path, row: object, line: str) -> None:
    path = written(tmp_path / "traces.jsonl", [*ROWS[:2], row])
    with pytest.raises(UserError) as caught:
        Replay(path=path).check()
    assert str(caught.value).startswith(f"{path}{line}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    sampler = Replay(path=tmp_path / "traces.jsonl")
    for use in (sampler.check, lambda: sampler.identity):
        with pytest.raises(UserError, match="no such file"):
            use()


def test_the_identity_is_the_content_of_the_file(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("a", "b", "c"))
    written(one, ROWS), written(same, ROWS), written(other, ROWS[:1])
    assert Replay(path=one).identity == Replay(path=same).identity != Replay(path=other).identity


def test_a_long_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("w") as file:
        for number in range(3000):
            row = {"question": f"q{number}", "reasoning": "x" * 30_000, "answer": str(number)}
            file.write(json.dumps(row) + "\n")
    tracemalloc.start()
    [reply] = drawn(path, "q2999", 0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read(reply).text == "2999"
    assert peak_bytes < path.stat().st_size / 10


OWN = [
    {"id": "a", "question": "q", "reasoning": "r", "answer": "1", "gold": "72"},
    {"id": "b", "question": "q", "reasoning": "r", "answer": "2", "gold": "72"},
    {"question": "q", "reasoning": "r", "answer": "3", "gold": "72"},
    {"question": "q", "reasoning": "r", "answer": "4", "gold": "70"},
]


@pytest.mark.parametrize(
    ("name", "gold", "answers"),
    [
        ("a", "72", ["1"]),
        ("b", "72", ["2"]),
        (problem_id("q"), "72", ["3"]),
        ("of another set", "72", ["1", "2", "3"]),
        ("of another set", "70", ["4"]),
        ("of another set", "7", ["1", "2", "3", "4"]),
        ("of another set", None, ["1", "2", "3", "4"]),
    ],
)
def test_a_problem_is_served_its_own_row_before_others_of_its_question(
    tmp_path: Path, name: str, gold: str | None, answers: list[str]
) -> None:
    path = written(tmp_path / "traces.jsonl", OWN)
    replies = drawn(path, "q", *range(len(answers) + 1), name=name, gold=gold)
    assert [read(reply).text for reply in replies[:-1]] == answers
    assert isinstance(replies[-1], Unanswered)


def test_problems_of_one_question_are_asked_apart(tmp_path: Path) -> None:
    sampler = Replay(path=written(tmp_path / "traces.jsonl", OWN))
    first, second = (sampler.messages(Problem(id=name, question="q")) for name in "ab")
    assert first != second


def test_an_id_of_two_questions_is_named(tmp_path: Path) -> None:
    rows = [{**OWN[0]}, {**OWN[0], "question": "other"}]
    with pytest.raises(UserError, match=":2: id: expected an id of its own"):
        Replay(path=written(tmp_path / "traces.jsonl", rows)).check()


def test_the_checks_read_a_file_once_and_once_more_when_it_changes(tmp_path, monkeypatch):
    path, read = written(tmp_path / "t.jsonl", ROWS), []
    monkeypatch.setattr(replay, "read_rows", lambda path: read.append(path) or read_rows(path))
    asked = [Problem(id="a", question="How many clips?"), Problem(id="b", question="How many cats?")]

    def check():
        Replay(path=path).check()
        return Replay(path=path).count_unrecorded(asked), Replay(path=path).count_unasked(asked, 0)

    assert check() == (1, (1, 1))
    assert len(read) == 1
    written(path, [*ROWS, {"question": "How many cats?", "reasoning": "1", "answer": "1", "id": "b"}])
    assert check() == (0, (2, 1))
    assert len(read) == 2
    written(path, [{"question": 7}])
    for _ in range(2):
        with pytest.raises(UserError, match=r"t\.jsonl:1: "):
            check()
