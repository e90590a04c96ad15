"""Problems that are too hard or too easy for the teacher to be worth learning from."""

from cotdistill.filters import Reason


def reason_against_pass_rate(rate: float | None, least: float, most: float) -> Reason | None:
    """Return how the share of correct attempts lies outside the window; None where it lies inside.

    A problem without a single attempt that counts (no gold answer, or all of them saw it) has no place in a window.
    """
    if rate is None:
        return Reason("pass_rate", f"not known, no attempt counts (limits {least:g} to {most:g})")
    return None if least <= rate <= most else Reason("pass_rate", f"{rate:.3g} is outside {least:g} to {most:g}")
