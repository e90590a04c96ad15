"""Requests that wait for balancer, on the event loop's own clock with small numbers."""

import asyncio
import math
from collections import Counter

import pytest

from cotdistill.client.concurrency import NotSent, SendGate
from cotdistill.client.load_balancer import BREAK_AFTER, Backend, LoadBalancer
from cotdistill.errors import AccessRefused


def backend(name="a", *, wait_s=0.02, limit=math.inf, sought=False):
    return Backend(name, probe_wait_s=lambda probe: wait_s * probe, limit=limit, is_limit_sought=sought)


def break_down(one, now_s=0.0):
    for _ in range(BREAK_AFTER):
        one.failed(now_s, is_unreachable=False)


def in_loop(main):
    return asyncio.run(asyncio.wait_for(main(), 30))


def test_the_server_with_the_fewest_in_flight_is_taken():
    async def main():
        balancer = LoadBalancer([backend("a"), backend("b"), backend("c")], SendGate())
        return Counter([(await balancer.acquire()).name for _ in range(30)])

    assert in_loop(main) == {"a": 10, "b": 10, "c": 10}


def test_a_server_that_just_failed_a_request_takes_it_again_only_if_there_is_no_other():
    async def main():
        first, second = backend("a"), backend("b")
        balancer = LoadBalancer([first, second], SendGate())
        second.in_flight = 5
        assert await balancer.acquire(but=first) is second
        alone = LoadBalancer([first], SendGate())
        assert await alone.acquire(but=first) is first

    in_loop(main)


def test_a_broken_server_is_left_out_and_the_others_go_on():
    async def main():
        broken, well = backend("a", wait_s=60), backend("b")
        break_down(broken, asyncio.get_running_loop().time())
        balancer = LoadBalancer([broken, well], SendGate())
        return {(await balancer.acquire()).name for _ in range(20)}

    assert in_loop(main) == {"b"}


def test_a_request_waits_for_a_server_that_is_down_and_probes_it_as_soon_as_it_may():
    async def main():
        one = backend(wait_s=0.05)
        loop = asyncio.get_running_loop()
        break_down(one, loop.time())
        began_s = loop.time()
        await LoadBalancer([one], SendGate()).acquire()
        return loop.time() - began_s, one.probes

    waited_s, probes = in_loop(main)
    assert 0.045 < waited_s < 20
    assert probes == 1


def test_a_refused_server_is_never_taken_again():
    async def main():
        refused, well = backend("a"), backend("b")
        refused.refusal = AccessRefused("HTTP 401")
        balancer = LoadBalancer([refused, well], SendGate())
        return {(await balancer.acquire()).name for _ in range(5)}

    assert in_loop(main) == {"b"}


def test_where_every_server_is_refused_those_that_wait_and_those_that_come_are_told():
    async def main():
        one, other = backend("a", limit=1), backend("b", limit=1)
        balancer = LoadBalancer([one, other], SendGate())
        await balancer.acquire()
        await balancer.acquire()
        waiting = asyncio.create_task(balancer.acquire())
        await asyncio.sleep(0)
        one.refusal = AccessRefused("HTTP 401")
        balancer.release(one)
        await asyncio.sleep(0)
        assert not waiting.done()
        other.refusal = AccessRefused("HTTP 402")
        balancer.wake()
        for attempt in (waiting, balancer.acquire()):
            with pytest.raises(AccessRefused, match="HTTP 402"):
                await attempt

    in_loop(main)


def test_no_more_than_the_limit_are_let_go_and_a_slot_given_back_lets_the_next_one_go_in_order():
    async def main():
        one = backend(limit=2)
        balancer = LoadBalancer([one], SendGate())
        went = []

        async def ask(number):
            taken = await balancer.acquire()
            went.append(number)
            return taken

        tasks = [asyncio.create_task(ask(number)) for number in range(6)]
        for _ in range(3):
            await asyncio.sleep(0.01)
        assert (went, one.in_flight) == ([0, 1], 2)
        for number in range(2, 6):
            balancer.release(one)
            await asyncio.sleep(0.01)
            assert (went[-1], one.in_flight) == (number, 2)
        await asyncio.gather(*tasks)

    in_loop(main)


def test_waiting_requests_leave_when_the_run_stops():
    async def main():
        gate = SendGate()
        balancer = LoadBalancer([backend(limit=1)], gate)
        closer = asyncio.create_task(balancer.reject_when_closed())
        await balancer.acquire()
        waiting = [asyncio.create_task(balancer.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        gate.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await closer
        with pytest.raises(NotSent):
            await balancer.acquire()
        return results

    assert [type(result) for result in in_loop(main)] == [NotSent] * 3


def test_a_request_cancelled_while_it_waits_takes_no_slot():
    async def main():
        one = backend(limit=1)
        balancer = LoadBalancer([one], SendGate())
        await balancer.acquire()
        gone, next_one = (asyncio.create_task(balancer.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        balancer.release(one)
        assert await next_one is one
        assert one.in_flight == 1

    in_loop(main)


def test_a_request_cancelled_in_the_moment_it_gets_a_slot_gives_it_back():
    async def main():
        one = backend(limit=1)
        balancer = LoadBalancer([one], SendGate())
        await balancer.acquire()
        gone, next_one = (asyncio.create_task(balancer.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        balancer.release(one)
        gone.cancel()
        assert await next_one is one
        assert one.in_flight == 1

    in_loop(main)


def test_another_server_is_one_that_is_neither_refused_nor_paused():
    async def main():
        now_s = asyncio.get_running_loop().time()
        one, refused, paused = backend("a"), backend("b"), backend("c")
        refused.refusal = AccessRefused("HTTP 401")
        paused.paused_until_s = now_s + 60
        balancer = LoadBalancer([one, refused, paused], SendGate())
        assert not balancer.has_other(one)
        assert balancer.has_other(paused)

    in_loop(main)
