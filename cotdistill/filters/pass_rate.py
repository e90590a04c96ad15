"""Problems that are too hard or too easy for the teacher to be worth learning from."""

from cotdistill.records import Trace


def reason_against_pass_rate(trace: Trace, least: float, most: float) -> str:
    """Return how the share of correct attempts lies outside the window; empty where it lies inside.

    A problem without a single attempt that counts (no gold answer, or all of them saw it) has no place in a window.
    """
    rate = trace.pass_rate
    if rate is None:
        return f"pass_rate: not known, no attempt counts (limits {least:g} to {most:g})"
    return "" if least <= rate <= most else f"pass_rate: {rate:.3g} is outside {least:g} to {most:g}"
