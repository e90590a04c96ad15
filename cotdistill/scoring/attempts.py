"""What several attempts at a problem say: pass@k and maj@k."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Attempt(NamedTuple):
    """One graded attempt."""

    is_right: bool
    final: str | None
    """The final answer that was found in the text; None where none was."""


def pass_at_k(n: int, right: int, k: int) -> float:
    """Return the chance that at least one of `k` attempts is right, of which `right` of `n` >= k were.

    Unbiased: 1 - C(n - right, k) / C(n, k) (Chen et al. 2021, eq. 1).
    Raises: ValueError unless 1 <= k <= n and 0 <= right <= n.
    """
    if not (1 <= k <= n and 0 <= right <= n):
        raise ValueError(f"pass@{k} with {right} right of {n}")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def pass_at(problems: Sequence[Sequence[Attempt]]) -> dict[int, float]:
    """Return pass@k as the mean over problems, for k = 1, 2, 4 … and the attempts that every problem has."""
    fewest = min((len(attempts) for attempts in problems), default=0)
    ks = sorted({fewest, *(2**i for i in range(fewest.bit_length()))}) if fewest else []
    counts = [(len(attempts), sum(a.is_right for a in attempts)) for attempts in problems]
    return {k: math.fsum(pass_at_k(n, right, k) for n, right in counts) / len(counts) for k in ks}


def majority_share(attempts: Sequence[Attempt]) -> float:
    """Return 1 where the answer that most attempts give is right, 0 where it is not or nobody gives one.

    Where several answers lead, the share of them that are right: what drawing lots gives (Wang et al. 2023 leave it
    open). Right answers are one answer however they are written; wrong ones agree up to case, spaces and separators.
    """
    votes = Counter((a.is_right, "" if a.is_right else _plain(a.final)) for a in attempts if a.final or a.is_right)
    if not votes:
        return 0.0
    most = max(votes.values())
    leading = [is_right for (is_right, _), n in votes.items() if n == most]
    return sum(leading) / len(leading)


def maj_at_k(problems: Sequence[Sequence[Attempt]]) -> float | None:
    """Return maj@k, the mean over problems, with all attempts of each as voters; None where nothing was asked."""
    if not problems:
        return None
    return math.fsum(majority_share(attempts) for attempts in problems) / len(problems)


def _plain(final: str | None) -> str:
    text = "".join(
        character for character in (final or "").casefold() if not character.isspace() and character not in ",$*"
    )
    return text.rstrip(".")
