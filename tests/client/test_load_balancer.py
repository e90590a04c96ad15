"""One backend, with times passed from outside; and requests that wait for one."""

import asyncio
import math
import time

import pytest

from cotdistill.client.concurrency import SendGate
from cotdistill.client.load_balancer import (
    BREAK_AFTER,
    CUT,
    FIRST_LIMIT,
    GROWTH_PAUSE_S,
    MOST,
    Backend,
    LoadBalancer,
)
from tests.support.patience import HANGS_S


def backend(name="a", *, wait_s=0.02, limit=math.inf, sought=False):
    return Backend(name, probe_wait_s=lambda probe: wait_s * probe, limit=limit, is_limit_sought=sought)


def seeking(limit=float(FIRST_LIMIT)):
    return backend(limit=limit, sought=True)


def fill(one, now_s):
    """Take as many requests as the backend lets go now."""
    while one.is_free(now_s):
        one.acquired(now_s)


def answer_round(one, now_s):
    """Let every request in flight be answered, each followed by the next one."""
    for _ in range(one.in_flight):
        one.answered(now_s)
        one.in_flight -= 1
        fill(one, now_s)


def break_down(one, now_s=0.0):
    for _ in range(BREAK_AFTER):
        one.failed(now_s, is_unreachable=False)


def test_the_limit_doubles_with_every_round_of_answers_while_it_is_what_holds_back():
    one = seeking()
    fill(one, 0)
    limits = []
    for _ in range(4):
        answer_round(one, 0)
        limits.append(one.limit)
    assert limits == [FIRST_LIMIT * 2**n for n in (1, 2, 3, 4)]


def test_the_limit_ends_at_the_connections_of_one_process():
    one = seeking(MOST - 1.0)
    fill(one, 0)
    answer_round(one, 0)
    assert one.limit == MOST


def test_a_limit_that_is_not_reached_does_not_grow():
    one = seeking()
    for _ in range(100):
        one.acquired(0)
        one.answered(0)
        one.in_flight -= 1
    assert one.limit == FIRST_LIMIT


def test_an_episode_of_429s_cuts_the_limit_once():
    one = seeking(100.0)
    fill(one, 0)
    for number in range(50):
        one.rate_limited(sent_s=0, now_s=1 + number / 100, pause_s=None)
    assert one.limit == 100 * CUT
    one.rate_limited(sent_s=1.5, now_s=2, pause_s=None)
    assert one.limit == pytest.approx(100 * CUT * CUT)


def test_a_cut_starts_from_what_was_in_flight_and_never_falls_below_one():
    one = seeking(100.0)
    one.in_flight = 9
    one.rate_limited(sent_s=0, now_s=1, pause_s=None)
    assert one.limit == 10 * CUT
    one.in_flight = 0
    one.rate_limited(sent_s=2, now_s=3, pause_s=None)
    assert one.limit == 1


def test_after_a_cut_the_limit_grows_by_a_twentieth_or_by_one():
    one = seeking(100.0)
    fill(one, 0)
    one.rate_limited(sent_s=0, now_s=1, pause_s=None)
    one.in_flight = 80
    answer_round(one, 2)
    assert one.limit == 84
    small = seeking(10.0)
    fill(small, 0)
    small.rate_limited(sent_s=0, now_s=1, pause_s=None)
    small.in_flight = 8
    answer_round(small, 2)
    assert small.limit == 9


def test_a_failure_that_is_no_429_only_pauses_the_growth():
    one = seeking()
    fill(one, 0)
    one.failed(0, is_unreachable=False)
    answer_round(one, GROWTH_PAUSE_S - 0.1)
    assert one.limit == FIRST_LIMIT
    answer_round(one, GROWTH_PAUSE_S + 0.1)
    assert one.limit == 2 * FIRST_LIMIT


def test_a_limit_that_was_given_is_neither_cut_nor_raised():
    one = backend(limit=4)
    fill(one, 0)
    one.rate_limited(sent_s=0, now_s=1, pause_s=None)
    answer_round(one, 2)
    assert (one.limit, one.in_flight) == (4, 4)


@pytest.mark.parametrize("sought", [True, False])
def test_a_pause_that_the_server_asks_for_is_kept(sought):
    one = backend(limit=8.0, sought=sought)
    one.rate_limited(sent_s=0, now_s=1, pause_s=5)
    one.rate_limited(sent_s=0, now_s=1.1, pause_s=1)
    assert [one.is_free(now_s) for now_s in (1.1, 3, 5.9, 6.1)] == [False, False, False, True]


def test_a_server_breaks_after_five_failures_without_an_answer_in_between():
    one = backend()
    for _ in range(3):
        for _ in range(BREAK_AFTER - 1):
            one.failed(0, is_unreachable=False)
        assert not one.is_down
        one.answered(0)
    break_down(one)
    assert one.is_down


def test_a_server_that_cannot_be_reached_breaks_at_once():
    one = backend()
    one.failed(0, is_unreachable=True)
    assert one.is_down


def test_a_broken_server_lets_one_probe_through_at_a_time_with_growing_waits():
    one = backend(wait_s=1.0)
    break_down(one, 100.0)
    probed_s = []
    for tenth in range(1000, 1150):
        now_s = tenth / 10
        if one.is_free(now_s):
            one.acquired(now_s)
            probed_s.append(now_s)
            assert not one.is_free(now_s)
    assert probed_s == [101.0, 103.0, 106.0, 110.0]


def test_an_answer_closes_the_breaker():
    one = backend(wait_s=1.0)
    break_down(one, 0)
    one.acquired(1.0)
    one.answered(1.5)
    assert (one.is_down, one.down_since_s, one.probes, one.is_free(1.5)) == (False, None, 0, True)


def test_a_request_that_joins_the_queue_as_a_pause_ends_does_not_silence_its_alarm():
    async def probe_twice():
        one = backend(wait_s=0.01)
        balancer = LoadBalancer([one], SendGate())
        break_down(one, asyncio.get_running_loop().time())
        first = asyncio.create_task(balancer.acquire())
        await asyncio.sleep(0)
        assert not first.done(), "it waits for the end of the pause"
        time.sleep(0.05)  # the pause ends while the loop is busy: its alarm is due, and has not rung
        second = asyncio.create_task(balancer.acquire())
        assert await first is one
        balancer.release(one)
        assert await second is one

    asyncio.run(asyncio.wait_for(probe_twice(), HANGS_S))


def test_what_was_in_flight_together_fails_together():
    one = backend()
    for at_s in range(40):
        one.failed(10 + at_s / 100, is_unreachable=False, sent_s=5)
    assert not one.is_down
    for at_s in (12, 13, 14, 15):
        one.failed(at_s, is_unreachable=False, sent_s=at_s - 0.5)
    assert one.is_down


def test_the_first_content_of_a_probe_opens_the_lane():
    one = backend()
    one.failed(0, is_unreachable=True)
    assert not one.is_free(0)
    one.came_back()
    assert one.is_free(0)
    assert not one.is_down
