"""Requests that wait for lanes, on the event loop's own clock with small numbers."""

import asyncio
import math
from collections import Counter

import pytest

from cotdistill.client.concurrency import Admission, NotSent
from cotdistill.client.load_balancer import BREAK_AFTER, Lane, Lanes
from cotdistill.errors import AccessRefused


def lane(name="a", *, wait_s=0.02, limit=math.inf, sought=False):
    return Lane(name, probe_wait_s=lambda probe: wait_s * probe, limit=limit, is_limit_sought=sought)


def break_down(one, now_s=0.0):
    for _ in range(BREAK_AFTER):
        one.failed(now_s, is_unreachable=False)


def in_loop(main):
    return asyncio.run(asyncio.wait_for(main(), 10))


def test_the_lane_with_the_fewest_in_flight_is_taken():
    async def main():
        lanes = Lanes([lane("a"), lane("b"), lane("c")], Admission())
        return Counter([(await lanes.take()).name for _ in range(30)])

    assert in_loop(main) == {"a": 10, "b": 10, "c": 10}


def test_a_lane_that_just_failed_a_request_takes_it_again_only_if_there_is_no_other():
    async def main():
        first, second = lane("a"), lane("b")
        lanes = Lanes([first, second], Admission())
        second.in_flight = 5
        assert await lanes.take(but=first) is second
        alone = Lanes([first], Admission())
        assert await alone.take(but=first) is first

    in_loop(main)


def test_a_broken_lane_is_left_out_and_the_others_go_on():
    async def main():
        broken, well = lane("a", wait_s=60), lane("b")
        break_down(broken, asyncio.get_running_loop().time())
        lanes = Lanes([broken, well], Admission())
        return {(await lanes.take()).name for _ in range(20)}

    assert in_loop(main) == {"b"}


def test_a_request_waits_for_a_lane_that_is_down_and_probes_it_as_soon_as_it_may():
    async def main():
        one = lane(wait_s=0.05)
        loop = asyncio.get_running_loop()
        break_down(one, loop.time())
        began_s = loop.time()
        await Lanes([one], Admission()).take()
        return loop.time() - began_s, one.probes

    waited_s, probes = in_loop(main)
    assert 0.045 < waited_s < 1
    assert probes == 1


def test_a_refused_lane_is_never_taken_again():
    async def main():
        refused, well = lane("a"), lane("b")
        refused.refusal = AccessRefused("HTTP 401")
        lanes = Lanes([refused, well], Admission())
        return {(await lanes.take()).name for _ in range(5)}

    assert in_loop(main) == {"b"}


def test_where_every_lane_is_refused_those_that_wait_and_those_that_come_are_told():
    async def main():
        one, other = lane("a", limit=1), lane("b", limit=1)
        lanes = Lanes([one, other], Admission())
        await lanes.take()
        await lanes.take()
        waiting = asyncio.create_task(lanes.take())
        await asyncio.sleep(0)
        one.refusal = AccessRefused("HTTP 401")
        lanes.give_back(one)
        await asyncio.sleep(0)
        assert not waiting.done()
        other.refusal = AccessRefused("HTTP 402")
        lanes.wake()
        for attempt in (waiting, lanes.take()):
            with pytest.raises(AccessRefused, match="HTTP 402"):
                await attempt

    in_loop(main)


def test_no_more_than_the_limit_are_let_go_and_a_slot_given_back_lets_the_next_one_go_in_order():
    async def main():
        one = lane(limit=2)
        lanes = Lanes([one], Admission())
        went = []

        async def ask(number):
            taken = await lanes.take()
            went.append(number)
            return taken

        tasks = [asyncio.create_task(ask(number)) for number in range(6)]
        for _ in range(3):
            await asyncio.sleep(0.01)
        assert (went, one.in_flight) == ([0, 1], 2)
        for number in range(2, 6):
            lanes.give_back(one)
            await asyncio.sleep(0.01)
            assert (went[-1], one.in_flight) == (number, 2)
        await asyncio.gather(*tasks)

    in_loop(main)


def test_waiting_requests_leave_when_the_run_stops():
    async def main():
        admission = Admission()
        lanes = Lanes([lane(limit=1)], admission)
        doorkeeper = asyncio.create_task(lanes.end_when_closed())
        await lanes.take()
        waiting = [asyncio.create_task(lanes.take()) for _ in range(3)]
        await asyncio.sleep(0)
        admission.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await doorkeeper
        with pytest.raises(NotSent):
            await lanes.take()
        return results

    assert [type(result) for result in in_loop(main)] == [NotSent] * 3


def test_a_request_cancelled_while_it_waits_takes_no_slot():
    async def main():
        one = lane(limit=1)
        lanes = Lanes([one], Admission())
        await lanes.take()
        gone, next_one = (asyncio.create_task(lanes.take()) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        lanes.give_back(one)
        assert await next_one is one
        assert one.in_flight == 1

    in_loop(main)


def test_a_request_cancelled_in_the_moment_it_gets_a_slot_gives_it_back():
    async def main():
        one = lane(limit=1)
        lanes = Lanes([one], Admission())
        await lanes.take()
        gone, next_one = (asyncio.create_task(lanes.take()) for _ in range(2))
        await asyncio.sleep(0)
        lanes.give_back(one)
        gone.cancel()
        assert await next_one is one
        assert one.in_flight == 1

    in_loop(main)


def test_another_lane_is_one_that_is_neither_refused_nor_paused():
    async def main():
        now_s = asyncio.get_running_loop().time()
        one, refused, paused = lane("a"), lane("b"), lane("c")
        refused.refusal = AccessRefused("HTTP 401")
        paused.paused_until_s = now_s + 60
        lanes = Lanes([one, refused, paused], Admission())
        assert not lanes.has_other(one)
        assert lanes.has_other(paused)

    in_loop(main)
