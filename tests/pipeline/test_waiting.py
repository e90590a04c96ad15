import logging
import threading

import pytest

from cotdistill.pipeline.waiting import told_if_slow


class Noted(logging.Handler):
    """Notes what is logged, and says so."""

    def __init__(self):
        super().__init__()
        self.messages, self.said = [], threading.Event()

    def emit(self, record):
        self.messages.append(record.getMessage())
        self.said.set()


@pytest.fixture
def noted(caplog):
    caplog.set_level(logging.INFO, "cotdistill")
    handler, log = Noted(), logging.getLogger("cotdistill.pipeline.waiting")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


def test_only_what_is_slow_is_told(noted):
    with told_if_slow("quick", after_s=60):
        pass
    with told_if_slow("slow", after_s=0.01):
        assert noted.said.wait(30)
    assert noted.messages == ["slow"]
