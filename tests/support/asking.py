"""Requests sent at the same time to one server, with short waits between attempts."""

import asyncio

from cotdistill.client.client import Answer, Client, EndpointOptions
from cotdistill.client.response_reader import Timeouts
from tests.support.fault_server import FaultServer

KEY = "canary-key-5f0c"
BODY = {"model": "r1", "messages": [{"role": "user", "content": "canary-prompt: how many clips?"}]}
WHOLE_MESSAGE = {
    "role": "assistant",
    "content": "48 + 24 = 72 → **72** ",
    "reasoning_content": "Half of 48 is 24. ",
}
PATIENT = Timeouts(first_content_s=20, gap_s=20, total_s=60)


def ask(
    server: FaultServer, *, times: int = 1, timeouts: Timeouts = PATIENT, **options: object
) -> list[Answer | BaseException]:
    """Return what becomes of requests sent at the same time."""

    async def main() -> list[Answer | BaseException]:
        chosen = EndpointOptions(
            **{
                "base_url": server.base_url,
                "api_key": KEY,
                "timeouts": timeouts,
                "base_wait_s": 0.01,
                "longest_wait_s": 0.05,
                "max_outage_s": 0.3,
                **options,
            }
        )
        async with Client(chosen) as client:
            return await asyncio.gather(*(client.complete(BODY) for _ in range(times)), return_exceptions=True)

    return asyncio.run(main())


def message(answer: Answer | BaseException) -> dict[str, object]:
    assert isinstance(answer, Answer), answer
    return answer.response["choices"][0]["message"]
