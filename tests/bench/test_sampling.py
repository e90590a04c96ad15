"""The benchmark's clients do what they are compared for."""

import pytest

from tests.bench.sampling import asked, serving


@pytest.mark.slow
@pytest.mark.parametrize("client", ["stage", "client", "reader", "sdk", "threads"])
def test_a_client_of_the_benchmark_waits_for_every_answer(client):
    with serving("--latency", "0.3", "--events", "20", "--packing", "5", "--size", "1000") as url:
        spent = asked(client, url, requests=6, concurrency=2)
    assert spent.wall_s >= 0.9
    assert spent.cpu_s > 0
    assert spent.rss_mib[-1] > 10
