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
        (5, Limits(), ""),
        (5, Limits(5, 5), ""),
        (4, Limits(5, None), "short_{}: 4 characters < 5"),
        (0, Limits(1, None), "short_{}: 0 characters < 1"),
        (6, Limits(None, 5), "long_{}: 6 characters > 5"),
    ],
)
def test_both_limits_are_allowed_themselves(chars, limits, reason):
    assert reason_against_reasoning_length(trace(reasoning="推" * chars), limits) == reason.format("reasoning")
    assert reason_against_answer_length(trace("x" * chars), limits) == reason.format("answer")


@pytest.mark.parametrize(("tokens", "reason"), [(10, ""), (11, "long_completion: 11 tokens > 10"), (0, "")])
def test_tokens_are_the_servers_count_and_uncounted_rows_stay(tokens, reason):
    assert reason_against_tokens(trace("x " * 1000, tokens=tokens), 10) == reason
