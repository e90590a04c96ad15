import pytest

from cotdistill.filters.lengths import (
    Limits,
    reason_against_answer_length,
    reason_against_reasoning_length,
    reason_against_tokens,
)
from tests.support.traces import trace


@pytest.mark.parametrize(
    ("chars", "limits", "reason"),
    [
        (5, Limits(), None),
        (5, Limits(5, 5), None),
        (4, Limits(5, None), ("short", "4 characters < 5")),
        (0, Limits(1, None), ("short", "0 characters < 1")),
        (6, Limits(None, 5), ("long", "6 characters > 5")),
    ],
)
def test_both_limits_are_allowed_themselves(chars, limits, reason):
    found = reason_against_reasoning_length(trace(reasoning="推" * chars), limits)
    assert found == (reason and (f"{reason[0]}_reasoning", reason[1]))
    found = reason_against_answer_length(trace("x" * chars), limits)
    assert found == (reason and (f"{reason[0]}_answer", reason[1]))


@pytest.mark.parametrize(("tokens", "reason"), [(10, None), (11, ("long_completion", "11 tokens > 10")), (0, None)])
def test_tokens_are_the_servers_count_and_uncounted_rows_stay(tokens, reason):
    assert reason_against_tokens(trace("x " * 1000, tokens=tokens), 10) == reason
