import asyncio

import pytest

from cotdistill import registry
from cotdistill.client.concurrency import SendGate
from cotdistill.demo.problems import make_problems
from cotdistill.records import Completion, Sampling
from cotdistill.samplers import Reply, Request
from cotdistill.samplers.demo import Demo
from cotdistill.sampling.completions import read_completion
from cotdistill.storage.ledger import LedgerEntry

[PROBLEM] = make_problems(1, seed=3)


def drawn(sampler: Demo, times: int = 1) -> list[Reply]:
    request = Request(PROBLEM, sampler.messages(PROBLEM), Sampling(), 0)

    async def main() -> list[Reply]:
        async with sampler.session(SendGate()) as draw:
            return await asyncio.gather(*(draw(request) for _ in range(times)))

    return asyncio.run(main())


def read(reply: Reply) -> Completion:
    return read_completion(LedgerEntry(key="a" * 64, index=0, problem_id="p1", response=reply.response))


def test_the_teacher_thinks_and_answers_and_says_the_same_again() -> None:
    sampler = Demo(error_rate=0)
    sampler.check()
    replies = drawn(sampler, times=8)
    completion = read(replies[0])
    assert completion.status == "ok"
    assert completion.reasoning
    assert PROBLEM.gold is not None
    assert PROBLEM.gold in completion.text
    assert completion.usage.completion_tokens > 0
    assert all(read(reply) == completion for reply in [*replies, *drawn(sampler)])
    assert replies[0].first_content_s is not None


def test_the_identity_holds_what_changes_the_answers() -> None:
    identities = {Demo(seed=seed, error_rate=rate).identity for seed in (0, 1) for rate in (0.0, 0.15)}
    assert len(identities) == 4
    assert Demo(port=8000).identity == Demo().identity


def test_where_it_listens_is_no_part_of_the_key() -> None:
    options = registry.kinds("samplers")["demo"].options
    assert options(kind="demo", port=8000).key_options() == options(kind="demo").key_options()
    with pytest.raises(ValueError, match="less than or equal to 1"):
        options(kind="demo", error_rate=1.5)


def test_it_is_asked_as_any_teacher_is(tmp_path) -> None:
    (tmp_path / "p.txt").write_text("{question} The answer is {gold}.")
    (tmp_path / "x.jsonl").write_text('{"question": "What is 1 + 1?", "answer": "2"}\n')
    sampler = Demo(prompt=tmp_path / "p.txt", exemplars=tmp_path / "x.jsonl", system="Be kind.", answer_prompt="So?")
    sampler.check()
    assert sampler.shows_gold and not sampler.is_one_call
    assert [m.role for m in sampler.messages(PROBLEM)] == ["system", "user", "assistant", "user"]
    first = read(drawn(sampler)[0])
    asked = sampler.follow_up(PROBLEM, first)
    assert asked is not None and asked[-1].content == "So?"


def test_it_gives_log_probabilities() -> None:
    wanted = Sampling(temperature=0.7, top_logprobs=3)
    assert Demo().effective(wanted) == wanted
