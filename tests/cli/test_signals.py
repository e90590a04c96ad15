import os
import signal
import threading

import pytest

from cotdistill.cli.signals import stopped_by_term
from cotdistill.errors import Interrupted


def test_a_term_signal_is_an_interrupt_with_its_own_code():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as stopped, stopped_by_term():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(60)
    assert stopped.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == before


def test_ctrl_c_stays_what_it_is():
    with pytest.raises(KeyboardInterrupt), stopped_by_term():
        raise KeyboardInterrupt


def test_signals_are_left_to_the_main_thread():
    before, inside = signal.getsignal(signal.SIGTERM), []

    def run():
        with stopped_by_term():
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert inside == [before]
