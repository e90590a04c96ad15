"""What the nodes of a training tell each other, and what becomes of those that do not come."""

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cotdistill.errors import Interrupted, TryAgainLater, UserError, WorkerFailed
from cotdistill.nodes.cluster import Cluster
from cotdistill.nodes.meeting import meet
from tests.support.patience import HANGS_S


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def together(port, *nodes):
    """Run a function a node and return what each returned or raised."""

    def one(rank):
        with meet(Cluster(len(nodes), rank, "localhost", port), run="r", timeout_s=HANGS_S) as meeting:
            return nodes[rank](meeting)

    with ThreadPoolExecutor(len(nodes)) as pool:
        started = [pool.submit(one, rank) for rank in range(len(nodes))]
        return [job.exception(HANGS_S) or job.result() for job in started]


def test_every_node_hears_what_all_say_step_by_step(port):
    def lead(meeting):
        for step in ("4-train", "arms/b/4-train"):
            meeting.announce(step)
            assert meeting.gather("asked", {"of": 0}) == [{"of": rank} for rank in range(3)]

    def follow(meeting):
        steps = []
        while (step := meeting.next_step()) is not None:
            steps.append(step)
            meeting.gather("asked", {"of": meeting.rank})
        return steps

    assert together(port, lead, follow, follow) == [None, *[["4-train", "arms/b/4-train"]] * 2]


@pytest.mark.parametrize(
    ("error", "kind", "code", "said"),
    [
        (UserError("no such file", "a.yaml"), WorkerFailed, 2, "node 1 failed: a.yaml: no such file"),
        (WorkerFailed("killed", exit_code=137), WorkerFailed, 137, "node 1 failed: killed"),
        (Interrupted("by SIGTERM", exit_code=143), Interrupted, 143, "stopped on node 1: by SIGTERM"),
        (ValueError("boom"), WorkerFailed, 1, "node 1 failed: ValueError: boom"),
    ],
)
def test_the_end_of_one_node_ends_the_others_with_its_code_and_reason(port, error, kind, code, said):
    def fail(meeting):
        raise error

    def wait(meeting):
        while True:
            meeting.next_step() if meeting.rank else meeting.gather("never", 1)

    ended = together(port, wait, fail, wait)
    for other in (ended[0], ended[2]):
        assert isinstance(other, kind), other
        assert other.exit_code == code
        assert said in str(other)


def test_a_node_whose_connection_breaks_is_gone(port):
    def vanish(meeting):
        meeting.gather("here", 1)
        meeting._exchange = lambda notes: {}  # it says no more, as one that was killed

    def wait(meeting):
        meeting.gather("here", 1)
        while True:
            meeting.look()

    ended = together(port, wait, vanish)
    assert isinstance(ended[0], TryAgainLater)
    assert "node 1 is gone" in str(ended[0])


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (Cluster(2, 0, "127.0.0.1"), "node 1 of 2 did not come within 1 s"),
        (Cluster(2, 1, "127.0.0.1"), "node 0 cannot be reached at 127.0.0.1:"),
        (Cluster(2, 0, "no.such.host.invalid"), "MASTER_ADDR no.such.host.invalid does not resolve"),
        (Cluster(2, 1, "no.such.host.invalid"), "MASTER_ADDR no.such.host.invalid does not resolve"),
    ],
)
def test_who_does_not_come_is_named_in_one_line_after_the_time_out(port, cluster, said):
    cluster = Cluster(cluster.nodes, cluster.rank, cluster.address, port)
    with pytest.raises(TryAgainLater, match=said) as late, meet(cluster, run="r", timeout_s=1):
        raise AssertionError
    assert late.value.exit_code == 75
    assert len(late.value.lines()) == 1


@pytest.mark.parametrize(("rank", "said"), [(0, "cannot be listened at"), (1, "does not answer as node 0")])
def test_a_port_where_something_else_listens_is_named(port, rank, said):
    def greet(listener):
        with contextlib.suppress(OSError):
            while True:
                listener.accept()[0].sendall(b"SSH-2.0\r\n")

    with socket.socket() as listener:
        listener.bind(("", port))
        listener.listen()
        threading.Thread(target=greet, args=(listener,), daemon=True).start()
        with (
            pytest.raises(TryAgainLater, match=said),
            meet(Cluster(2, rank, "127.0.0.1", port), run="r", timeout_s=0.1),
        ):
            raise AssertionError


@pytest.mark.parametrize(
    ("run", "nodes", "rank", "said"),
    [
        ("other", 2, 1, "node 0 trains run `r`, node 1 `other`"),
        ("r", 3, 1, "NNODES is 2 on node 0 and 3 on node 1"),
    ],
)
def test_a_node_of_another_training_is_refused(port, run, nodes, rank, said):
    ready = threading.Event()

    def lead():
        with meet(Cluster(2, 0, "localhost", port), run="r", timeout_s=HANGS_S) as meeting:
            ready.set()
            return meeting.nodes

    with ThreadPoolExecutor(1) as pool:
        led = pool.submit(lead)
        refused = meet(Cluster(nodes, rank, "localhost", port), run=run, timeout_s=HANGS_S)
        with pytest.raises(UserError, match=said), refused:
            raise AssertionError
        with meet(Cluster(2, 1, "localhost", port), run="r", timeout_s=HANGS_S):
            assert ready.wait(HANGS_S)
        assert led.result(HANGS_S) == 2
