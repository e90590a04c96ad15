import asyncio

import pytest

from cotdistill.client.concurrency import Admission, NotSent


def test_a_wait_ends_in_time_while_the_door_is_open():
    async def main():
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await Admission().sleep(0.02)
        return loop.time() - began_s

    assert 0.018 < asyncio.run(main()) < 1


def test_a_wait_ends_at_once_when_the_door_closes():
    async def main():
        admission = Admission()
        waiting = asyncio.create_task(admission.sleep(60))
        await asyncio.sleep(0)
        assert not admission.is_closed
        admission.close()
        with pytest.raises(NotSent):
            await asyncio.wait_for(waiting, 1)
        assert admission.is_closed

    asyncio.run(main())


def test_nothing_waits_behind_a_closed_door():
    async def main():
        admission = Admission()
        admission.close()
        with pytest.raises(NotSent):
            await asyncio.wait_for(admission.sleep(60), 1)

    asyncio.run(main())
