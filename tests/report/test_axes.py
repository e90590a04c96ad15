from hypothesis import given
from hypothesis import strategies as st

from cotdistill.report.axes import round_axis, round_bins

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(st.lists(NUMBERS, min_size=2, max_size=2).map(sorted))
def test_an_axis_holds_both_ends_with_a_handful_of_rising_ticks(ends):
    axis = round_axis(*ends)
    assert axis.low <= ends[0] + 1e-6
    assert axis.high >= ends[1] - 1e-6
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert 2 <= len(axis.ticks) <= 8


def test_ticks_are_round_numbers():
    assert round_axis(0, 0.93).ticks == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert round_axis(-0.12, 0.31).ticks == (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)


@given(st.lists(st.integers(0, 100_000), min_size=1))
def test_bins_hold_every_value(values):
    bins = round_bins(values)
    counts = bins.counts(values)
    assert sum(counts) == len(values)
    assert len(counts) <= 30
