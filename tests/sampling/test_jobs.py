"""What is asked for one problem: more samples, a larger budget, a second call; never the same thing twice."""

import pytest

from cotdistill.data.stored_problems import StoredProblems
from cotdistill.records import Rejected, Trace
from cotdistill.registry import make
from cotdistill.sampling.pool import request_key
from cotdistill.stages.sample import SampleOptions, sampling_plan
from cotdistill.storage.ledger import Ledger, LedgerEntry
from tests.support.classroom import Classroom, problems, reply
from tests.support.fault_server import status

CHAIN = {"answer_prompt": "Therefore, the answer is"}


def number(request):
    """Which problem a prompt is about."""
    question = next(m["content"] for m in request.body["messages"] if m["role"] == "user")
    return int(question.split()[2])


def right(request):
    return reply(f"It is **{number(request) + 1}**.")


def wrong(request):
    return reply("It is **1000**.")


# Until enough are correct.


def test_only_problems_that_lack_correct_answers_are_asked_again(tmp_path):
    # Problem n is answered correctly from its n-th sample on.
    with Classroom(tmp_path, lambda r, turn: right(r) if turn >= number(r) else wrong(r), count=4) as room:
        rows = room.sample(until={"correct": 1, "max_samples": 8})
    assert [room.asked[p.question] for p in problems(4)] == [1, 2, 3, 4]
    assert [(row.problem.id, row.completion.index) for row in rows] == [
        (f"p{n}", index) for n in range(4) for index in range(n + 1)
    ]


def test_no_problem_is_asked_more_often_than_max_samples(tmp_path):
    with Classroom(tmp_path, lambda r, _: wrong(r), count=3) as room:
        rows = room.sample(until={"correct": 2, "max_samples": 5})
    assert set(room.asked.values()) == {5}
    assert len(rows) == 15


def test_the_first_samples_are_drawn_whatever_they_say(tmp_path):
    with Classroom(tmp_path, lambda r, _: right(r), count=3) as room:
        room.sample(samples_per_problem=4, until={"correct": 2, "max_samples": 8})
    assert set(room.asked.values()) == {4}


def test_a_cut_answer_counts_as_none_that_is_correct(tmp_path):
    def cut_first(request, turn):
        return reply(f"It is **{number(request) + 1}**", finish_reason="length") if turn == 0 else right(request)

    with Classroom(tmp_path, cut_first, count=2) as room:
        room.sample(until={"correct": 1, "max_samples": 4})
    assert set(room.asked.values()) == {2}


def test_a_resumed_top_up_asks_nothing_twice(tmp_path):
    with Classroom(tmp_path, lambda r, turn: right(r) if turn >= number(r) else wrong(r), count=4) as room:
        rows = room.sample(until={"correct": 1, "max_samples": 8})
        before = sum(room.asked.values())
        assert room.sample(until={"correct": 1, "max_samples": 8}) == rows
        assert sum(room.asked.values()) == before
        more = room.sample(until={"correct": 2, "max_samples": 8})
        assert sum(room.asked.values()) == before + 4
    assert len(more) == len(rows) + 4


def test_a_lost_sample_is_listed_and_the_next_one_is_drawn(tmp_path):
    def lose_first(request, turn):
        return (status(400),) if turn == 0 else right(request)

    with Classroom(tmp_path, lose_first, count=2) as room:
        rows = room.sample(until={"correct": 1, "max_samples": 3}, max_failed=1)
    assert [type(row) for row in rows] == [Rejected, Trace, Rejected, Trace]


# Answers that were cut off.


def lengths(room, question):
    return [b["max_tokens"] for b in room.bodies if b["messages"][-1]["content"] == question]


def cut_below(tokens):
    def answer(request, _turn):
        if request.body["max_tokens"] < tokens * (1 + number(request)):
            return reply("It is", finish_reason="length", tokens=request.body["max_tokens"])
        return right(request)

    return answer


@pytest.mark.parametrize(("on_length", "kinds"), [("keep", [Trace, Trace]), ("drop", [Trace, Rejected])])
def test_a_cut_answer_is_kept_or_dropped_and_never_asked_again(tmp_path, on_length, kinds):
    with Classroom(tmp_path, cut_below(100), count=2) as room:
        rows = room.sample(max_tokens=100, on_length=on_length)
        assert room.sample(max_tokens=100, on_length=on_length) == rows
    assert [type(row) for row in rows] == kinds
    assert len(room.bodies) == len(room.stored()) == 2
    if on_length == "keep":
        assert [row.completion.status for row in rows] == ["ok", "truncated"]
    else:
        assert (rows[1].kind, rows[1].reason) == ("truncated", "cut off after 100 tokens")


def test_a_larger_budget_is_twice_the_one_before_up_to_the_ceiling_and_none_is_asked_twice(tmp_path):
    options = {"max_tokens": 100, "on_length": "raise_max_tokens", "max_tokens_ceiling": 700}
    with Classroom(tmp_path, cut_below(150), count=8) as room:
        rows = room.sample(**options)
        asked = [lengths(room, p.question) for p in problems(8)]
        assert room.sample(**options) == rows
    assert asked == [
        [100, 200],
        [100, 200, 400],
        [100, 200, 400, 700],
        [100, 200, 400, 700],
        *[[100, 200, 400, 700]] * 4,
    ]
    assert len(room.bodies) == sum(map(len, asked)), "the second start asks nothing"
    assert [row.completion.status for row in rows] == ["ok"] * 4 + ["truncated"] * 4
    assert [row.completion.applied["max_tokens"] for row in rows] == [200, 400, 700, 700, 700, 700, 700, 700]


def test_a_higher_ceiling_goes_on_from_the_budgets_that_were_paid(tmp_path):
    options = {"max_tokens": 100, "on_length": "raise_max_tokens"}
    with Classroom(tmp_path, cut_below(400), count=1) as room:
        room.sample(**options, max_tokens_ceiling=200)
        [row] = room.sample(**options, max_tokens_ceiling=800)
    assert [body["max_tokens"] for body in room.bodies] == [100, 200, 400]
    assert row.completion.status == "ok"


def test_every_cut_answer_that_was_paid_for_is_stored(tmp_path):
    with Classroom(tmp_path, cut_below(1000), count=1) as room:
        room.sample(max_tokens=100, on_length="raise_max_tokens", max_tokens_ceiling=400)
        assert [row["response"]["usage"]["completion_tokens"] for row in room.stored()] == [100, 200, 400]


# Two calls.


def two_calls(request, _turn):
    if request.prompt == CHAIN["answer_prompt"]:
        return reply(f"**{number(request) + 1}**", reasoning="", tokens=3)
    return reply("First one, then one more.", reasoning="Let me see.", tokens=30)


def test_the_second_call_shows_the_first_and_both_are_one_trace(tmp_path):
    with Classroom(tmp_path, two_calls, count=1, teacher=CHAIN) as room:
        [row] = room.sample(temperature=0.7)
    first, second = (body["messages"] for body in room.bodies)
    assert [m["role"] for m in first] == ["user"]
    assert second == [
        *first,
        {"role": "assistant", "content": "Let me see.\n\nFirst one, then one more."},
        {"role": "user", "content": CHAIN["answer_prompt"]},
    ]
    done = row.completion
    assert (done.reasoning, done.text) == ("Let me see.\n\nFirst one, then one more.", "**1**")
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (40, 33)
    assert (done.attempts, done.status) == (2, "ok")
    assert len(room.stored()) == 2


def test_a_run_that_was_stopped_between_the_two_calls_pays_the_first_once(tmp_path):
    def stop_at_the_second(request, turn):
        is_second = request.prompt == CHAIN["answer_prompt"]
        return (status(402),) if is_second and turn == 0 else two_calls(request, turn)

    with Classroom(tmp_path, stop_at_the_second, count=1, teacher=CHAIN) as room:
        with pytest.raises(Exception, match="HTTP 402") as caught:
            room.sample()
        assert caught.value.exit_code == 3
        assert len(room.stored()) == 1
        [row] = room.sample()
    assert (row.completion.text, room.asked["What is 0 + 1?"], room.asked[CHAIN["answer_prompt"]]) == ("**1**", 1, 2)


def test_after_a_first_call_that_was_cut_off_no_second_is_made(tmp_path):
    with Classroom(tmp_path, lambda r, _: reply("First", finish_reason="length"), count=2, teacher=CHAIN) as room:
        rows = room.sample()
    assert len(room.bodies) == 2
    assert [row.completion.status for row in rows] == ["truncated"] * 2


def test_all_three_together_ask_each_thing_once(tmp_path):
    def answer(request, turn):
        if request.prompt == CHAIN["answer_prompt"]:
            return right(request) if request.body["seed"] >= 2 else wrong(request)
        is_cut = request.body["max_tokens"] < 200
        return reply("thought", finish_reason="length" if is_cut else "stop", tokens=50)

    options = {
        "until": {"correct": 1, "max_samples": 4},
        "max_tokens": 100,
        "on_length": "raise_max_tokens",
        "max_tokens_ceiling": 200,
    }
    with Classroom(tmp_path, answer, count=2, teacher=CHAIN) as room:
        rows = room.sample(**options)
        seen = [str(sorted(body.items(), key=lambda item: item[0])) for body in room.bodies]
        assert room.sample(**options) == rows
        assert len(room.bodies) == len(seen)
    assert len(set(seen)) == len(seen) == 2 * 2 * 3
    assert [row.completion.index for row in rows] == [0, 1, 0, 1]


# What is missing, told from the ledger alone.


@pytest.mark.parametrize("options", [{"samples_per_problem": 2}, {"until": {"correct": 1, "max_samples": 2}}])
def test_what_is_still_to_be_asked_is_known_from_what_is_stored(tmp_path, options):
    chosen = problems(6)
    with Classroom(tmp_path, lambda r, _: wrong(r)) as room:
        room.sample(chosen=chosen[:4], **options)
        teacher = make("samplers", "endpoint", base_url=room.server.base_url, model="r1", stream=False)
    plan = sampling_plan(SampleOptions(**options), teacher, make("verifiers", "numeric"), seed=1)
    with Ledger(tmp_path / "completions.jsonl") as ledger:
        assert sum(1 for _ in plan.make_missing_jobs(chosen, ledger)) == plan.count(chosen) - plan.count(chosen[:4])
        assert list(plan.make_missing_jobs(chosen[:4], ledger)) == []


@pytest.mark.parametrize("options", [{}, {"samples_per_problem": 3}, {"on_length": "raise_max_tokens"}])
def test_what_is_missing_is_counted_with_the_problems_that_have_no_answer(tmp_path, options):
    plan = sampling_plan(SampleOptions(**options), make("samplers", "demo"), None, seed=1)
    asked, samples = StoredProblems.of(problems(4)), plan.samples
    with Ledger(tmp_path / "c.jsonl") as ledger:
        count, left = plan.missing(asked, ledger)
        assert (count, list(left)) == (4 * samples, problems(4))
        for problem in (asked[0], asked[1], asked[3]):
            key = request_key(next(next(plan.make_jobs([problem]))), plan.teacher.identity)
            for index in range(samples):
                ledger.append(LedgerEntry(key=key, index=index, problem_id=problem.id, response={}))
        count, left = plan.missing(asked, ledger)
        assert (count, list(left)) == (samples, [asked[2]])
        assert (plan.missing(asked.at([0, 1]), ledger)[0], plan.missing(asked.at([2, 3]), ledger)[0]) == (0, samples)
