import pytest

from cotdistill.filters.pass_rate import reason_against_pass_rate


@pytest.mark.parametrize(
    ("rate", "is_kept"), [(0.0, False), (0.1, True), (0.5, True), (0.9, True), (1.0, False), (None, False)]
)
def test_a_window_holds_its_limits_and_refuses_what_is_not_known(rate, is_kept):
    reason = reason_against_pass_rate(rate, 0.1, 0.9)
    assert (reason is None) == is_kept
    assert is_kept or reason.kind == "pass_rate"
    assert is_kept or "0.1 to 0.9" in reason.text
