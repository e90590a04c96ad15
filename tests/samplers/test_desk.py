"""The queue between callers and workers."""

import asyncio
import threading

import pytest

from cotdistill.client.concurrency import NotSent, SendGate
from cotdistill.records import Sampling
from cotdistill.samplers._asks import Ask, Said
from cotdistill.samplers._desk import Desk


def _ask(number: int, length: int = 1) -> Ask:
    return Ask(number, [0] * length, [], 5, Sampling(), 0)


def _said(ask: Ask) -> Said:
    return Said(ask.number, [ask.number], is_ended=True)


def _serve(desk: Desk, worker: int, room: int, seen: list[list[int]]) -> None:
    """Answer what is taken at once, until the desk closes."""
    said: list[Said] = []
    while True:
        orders = desk.exchange(worker, said, room, is_idle=not said)
        if orders.is_closed:
            return
        seen.append([ask.number for ask in orders.asks])
        said = [_said(ask) for ask in orders.asks]


def test_the_longest_is_taken_first_and_everybody_gets_an_answer():
    async def ask_all() -> list[list[int]]:
        desk = Desk(SendGate())
        asked = [asyncio.create_task(desk.ask(_ask(n, length))) for n, length in enumerate([3, 9, 5, 7, 1])]
        await asyncio.sleep(0)
        seen: list[list[int]] = []
        worker = threading.Thread(target=_serve, args=(desk, 0, 2, seen))
        worker.start()
        answers = await asyncio.gather(*asked)
        desk.close()
        await asyncio.to_thread(worker.join)
        assert [said.tokens for said, _ in answers] == [[0], [1], [2], [3], [4]]
        return seen

    assert [n for n in asyncio.run(ask_all()) if n] == [[1, 3], [2, 0], [4]]


def test_workers_share_the_queue_and_none_gets_what_another_has():
    async def ask_all() -> tuple[list[int], list[list[list[int]]]]:
        desk = Desk(SendGate(), workers=2)
        seen: list[list[list[int]]] = [[], []]
        workers = [threading.Thread(target=_serve, args=(desk, n, 3, seen[n])) for n in range(2)]
        for worker in workers:
            worker.start()
        answers = await asyncio.gather(*(desk.ask(_ask(n)) for n in range(60)))
        desk.close()
        for worker in workers:
            await asyncio.to_thread(worker.join)
        return [said.number for said, _ in answers], seen

    answered, seen = asyncio.run(ask_all())
    assert answered == list(range(60))
    assert sorted(number for taken in [*seen[0], *seen[1]] for number in taken) == list(range(60))


def test_few_requests_are_shared_out():
    async def ask_all() -> list[int]:
        desk = Desk(SendGate(), workers=3)
        asked = [asyncio.create_task(desk.ask(_ask(n))) for n in range(9)]
        await asyncio.sleep(0)
        taken = [len(desk.exchange(n, [], 64, is_idle=True).asks) for n in range(3)]
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return taken

    assert asyncio.run(ask_all()) == [3, 2, 2]


def test_a_run_that_stops_gets_back_what_is_not_begun_and_waits_for_the_rest():
    async def stop() -> tuple[list[object], type]:
        gate = SendGate()
        desk = Desk(gate)
        stopping = asyncio.create_task(desk.send_back_when_stopping())
        asked = [asyncio.create_task(desk.ask(_ask(n, 10 - n))) for n in range(3)]
        await asyncio.sleep(0)
        (begun,) = desk.exchange(0, [], 1, is_idle=True).asks
        gate.close()
        await stopping
        desk.exchange(0, [_said(begun)], 1, is_idle=False)
        results = await asyncio.gather(*asked, return_exceptions=True)
        late = await asyncio.gather(desk.ask(_ask(9)), return_exceptions=True)
        return results, type(late[0])

    (first, *others), late = asyncio.run(stop())
    assert first[0].tokens == [0]
    assert [type(other) for other in others] == [NotSent, NotSent]
    assert late is NotSent


def test_a_worker_hears_of_answers_that_nobody_waits_for():
    async def give_up() -> tuple[frozenset[int], list[int]]:
        desk = Desk(SendGate())
        asked = [asyncio.create_task(desk.ask(_ask(n, 10 - n))) for n in range(3)]
        await asyncio.sleep(0)
        desk.exchange(0, [], 2, is_idle=True)
        asked[0].cancel()
        asked[2].cancel()
        await asyncio.gather(*asked[::2], return_exceptions=True)
        orders = desk.exchange(0, [], 2, is_idle=False)
        asked[1].cancel()
        return orders.dropped, [ask.number for ask in orders.asks]

    assert asyncio.run(give_up()) == (frozenset({0}), [])


def test_what_stops_a_worker_is_raised_where_answers_are_waited_for():
    async def fail() -> list[object]:
        desk = Desk(SendGate())
        asked = [asyncio.create_task(desk.ask(_ask(n))) for n in range(2)]
        await asyncio.sleep(0)
        desk.exchange(0, [], 1, is_idle=True)
        desk.fail(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            await desk.ask(_ask(5))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [str(error) for error in asyncio.run(fail())] == ["no", "no"]
