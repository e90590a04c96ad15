import asyncio

from cotdistill.sampling.single_flight import SingleFlight


def test_one_name_is_held_by_one_and_others_by_others():
    flights, running, most = SingleFlight(), {"a": 0, "b": 0}, {"a": 0, "b": 0, "both": 0}

    async def use(name):
        async with flights.alone(name):
            running[name] += 1
            most[name] = max(most[name], running[name])
            most["both"] = max(most["both"], sum(running.values()))
            await asyncio.sleep(0)
            running[name] -= 1

    async def main():
        await asyncio.gather(*(use(name) for name in "ab" * 20))

    asyncio.run(main())
    assert most == {"a": 1, "b": 1, "both": 2}
    assert not flights._locks and not flights._users
