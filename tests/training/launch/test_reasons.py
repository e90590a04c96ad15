"""Why a process ended, in words."""

import pytest

from cotdistill.training.launch.reasons import why

RAISED = """\
UserWarning: this is not why
Traceback (most recent call last):
  File "worker.py", line 3, in <module>
    load()
OSError: cut

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "worker.py", line 5, in <module>
    raise ValueError("boom\\nat last")
ValueError: boom
at last
[W1] process group was not destroyed
"""


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (-9, RAISED, "rank 3 was killed (SIGKILL), often for memory"),
        (-11, "", "rank 3 ended by SIGSEGV"),
        (1, RAISED, "rank 3: ValueError: boom"),
        (1, RAISED.replace("\n", "\n[rank3]: "), "rank 3: ValueError: boom"),
        (7, "", "rank 3 ended with exit code 7"),
        (7, "one\nlicence expired\n\n", "rank 3 ended with exit code 7: licence expired"),
        (1, "Traceback (most recent call last):\n", "rank 3 ended with exit code 1"),
    ],
)
def test_the_reason_is_the_signal_or_the_exception_and_not_the_last_line(code, text, expected):
    assert why("rank 3", code, text) == expected
