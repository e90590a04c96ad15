import os
import signal
import threading
from functools import partial
from itertools import islice

import pytest

from cotdistill.engines.local import LocalEngine, cores, end_idle
from cotdistill.errors import TryAgainLater, UserError
from tests.support.block_work import killed_at, refusing, slow_squares, squares, unwilling
from tests.support.patience import wait_for
from tests.support.recorded_set import workers_of

BLOCKS = [[n, n + 1] for n in range(0, 80, 2)]
SQUARES = [[n * n for n in block] for block in BLOCKS]


@pytest.fixture(autouse=True)
def _no_idle_workers():
    yield
    end_idle()


def pool(processes=2):
    """An engine that starts its workers at once."""
    return LocalEngine(processes, start_after_s=0)


def workers():
    """Worker processes that this one started and that are still there."""
    return set(workers_of(os.getpid()))


def test_short_work_is_done_in_this_process():
    assert [found for _, found in LocalEngine(2).map_blocks(squares, BLOCKS)] == SQUARES
    assert {process for process, _ in LocalEngine(2).map_blocks(squares, BLOCKS)} == {os.getpid()}


@pytest.mark.parametrize("processes", [2, 3])
def test_results_come_in_the_order_of_the_blocks_whichever_is_done_first(processes):
    found = list(pool(processes).map_blocks(partial(slow_squares, 0.005), BLOCKS))
    assert [squared for _, squared in found] == SQUARES
    assert os.getpid() not in {process for process, _ in found}


def test_work_that_takes_longer_goes_over_to_workers():
    found = list(LocalEngine(2, start_after_s=0.01).map_blocks(partial(slow_squares, 0.05), BLOCKS))
    assert [squared for _, squared in found] == SQUARES
    assert found[0][0] == os.getpid() != found[-1][0]


def test_one_process_starts_none():
    engine = LocalEngine(1, start_after_s=0)
    assert {process for process, _ in engine.map_blocks(squares, BLOCKS)} == {os.getpid()}


def test_blocks_are_taken_a_bounded_number_ahead():
    taken = []

    def blocks():
        for block in ([n] for n in range(1000)):
            taken.append(block)
            yield block

    results = pool().map_blocks(squares, blocks())
    next(results)
    assert len(taken) <= 10
    results.close()


def test_no_blocks_no_results():
    assert list(LocalEngine(2).map_blocks(squares, [])) == []
    assert list(pool().map_blocks(squares, [])) == []


def test_an_error_of_a_block_is_raised_at_its_place_with_where_it_came_from():
    results = pool().map_blocks(partial(refusing, 21), BLOCKS)
    assert list(islice(results, 10)) == BLOCKS[:10]
    with pytest.raises(UserError, match="cannot do 21") as raised:
        next(results)
    assert (raised.value.where, raised.value.hint) == ("file.jsonl:3", "leave it out")
    assert "_refusing" in raised.value.__notes__[0]


def test_an_error_of_the_setup_is_raised():
    with pytest.raises(UserError, match="no package"):
        list(pool().map_blocks(unwilling, BLOCKS))


def test_a_worker_that_is_killed_costs_time_only(tmp_path, caplog):
    found = list(pool().map_blocks(partial(killed_at, 30, tmp_path, 2), BLOCKS))
    assert found == SQUARES
    assert len(list(tmp_path.iterdir())) == 2
    assert "ended by signal 9" in caplog.text


def test_a_block_that_ends_every_worker_stops_the_work(tmp_path):
    with pytest.raises(TryAgainLater, match="3 worker processes ended over one block"):
        list(pool().map_blocks(partial(killed_at, 30, tmp_path, 99), BLOCKS))


@pytest.mark.parametrize("end", ["close", "error", "exhausted"])
def test_no_worker_outlives_the_work(tmp_path, end):
    results = pool().map_blocks(squares, BLOCKS)
    next(results)
    assert workers()
    if end == "close":
        results.close()
    elif end == "exhausted":
        list(results)
        end_idle()
    else:
        with pytest.raises(UserError):
            list(pool().map_blocks(partial(refusing, 2), BLOCKS))
        results.close()
    assert not workers()


def test_workers_go_on_with_the_next_work(monkeypatch):
    monkeypatch.setattr("cotdistill.engines.local.IDLE_S", 60)
    list(pool(3).map_blocks(squares, BLOCKS))
    first = workers()
    results = list(LocalEngine(3).map_blocks(squares, BLOCKS))
    assert [found for _, found in results] == SQUARES
    assert {process for process, _ in results} <= first
    assert not {process for process, _ in pool(2).map_blocks(squares, BLOCKS)} & first
    end_idle()
    assert not workers()


def test_idle_workers_end_by_themselves(monkeypatch):
    monkeypatch.setattr("cotdistill.engines.local.IDLE_S", 0.05)
    list(pool().map_blocks(squares, BLOCKS))
    wait_for(lambda: not workers())


def test_an_idle_worker_that_was_killed_is_replaced(monkeypatch, caplog):
    monkeypatch.setattr("cotdistill.engines.local.IDLE_S", 60)
    working = {process for process, _ in pool(2).map_blocks(squares, BLOCKS)}
    os.kill(min(working), signal.SIGKILL)
    assert [found for _, found in pool(2).map_blocks(squares, BLOCKS)] == SQUARES
    assert "ended by signal 9" in caplog.text
    end_idle()


def test_threads_of_this_process_do_not_matter():
    lock, stop = threading.Lock(), threading.Event()

    def busy():
        while not stop.is_set():
            with lock:
                stop.wait(0.0005)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert [found for _, found in pool().map_blocks(squares, BLOCKS)] == SQUARES
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_all_cores_are_those_that_may_be_used():
    assert 1 <= cores() <= os.cpu_count()
