import asyncio
import threading

import pytest

from cotdistill.storage.group_commit import GroupCommit
from tests.support.patience import HANGS_S


def test_one_sync_serves_all_that_wait_while_another_runs():
    written, on_disk, syncs = [], [], []
    gate = threading.Event()

    def sync():
        seen = list(written)
        syncs.append(len(seen))
        gate.wait(HANGS_S)
        on_disk[:] = seen

    async def write(commit, number):
        written.append(number)
        await commit.durable()
        assert number in on_disk

    async def main():
        commit = GroupCommit(sync)
        first = asyncio.create_task(write(commit, 0))
        while not syncs:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(write(commit, n)) for n in range(1, 20)]
        await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(first, *others)

    asyncio.run(main())
    assert syncs == [1, 20]


def test_a_failed_sync_is_told_to_everyone_who_waited_for_it():
    def sync():
        raise OSError("disk")

    async def main():
        commit = GroupCommit(sync)
        return await asyncio.gather(*(commit.durable() for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(main())] == ["disk"] * 3


def test_it_goes_on_after_a_failure():
    calls = []

    def sync():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk")

    async def main():
        commit = GroupCommit(sync)
        with pytest.raises(OSError, match="disk"):
            await commit.durable()
        await commit.durable()

    asyncio.run(main())
    assert len(calls) == 2
