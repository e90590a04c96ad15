import asyncio

import pytest

from cotdistill.client.concurrency import NotSent, SendGate


def test_a_wait_ends_in_time_while_the_door_is_open():
    async def main():
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await SendGate().sleep(0.02)
        return loop.time() - began_s

    assert 0.018 < asyncio.run(main()) < 30


def test_a_wait_ends_at_once_when_the_door_closes():
    async def main():
        gate = SendGate()
        waiting = asyncio.create_task(gate.sleep(60))
        await asyncio.sleep(0)
        assert not gate.is_closed
        gate.close()
        with pytest.raises(NotSent):
            await asyncio.wait_for(waiting, 30)
        assert gate.is_closed

    asyncio.run(main())


def test_nothing_waits_behind_a_closed_door():
    async def main():
        gate = SendGate()
        gate.close()
        with pytest.raises(NotSent):
            await asyncio.wait_for(gate.sleep(60), 30)

    asyncio.run(main())
