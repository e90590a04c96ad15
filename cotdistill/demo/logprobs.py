"""The teacher's log-probabilities: its own distribution, estimated from answers that it might have given as well.

At each token, those of the other answers that begin like this one say what may come next, and how often:

    {"token": " plus", "bytes": [32, 112, …], "logprob": -0.69, "top_logprobs": [{"token": " +", …}, …]}
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

DRAWS = 32
"""Answers that are drawn beside the one that is given: shares are known to about a tenth."""

JsonObject = dict[str, Any]  # Any: JSON values of the protocol


def token_entries(said: Sequence[str], others: Sequence[Sequence[str]], *, top: int) -> list[JsonObject]:
    """Return for each token of an answer its log-probability and those of the `top` likeliest, the likeliest first."""
    entries, alike = [], [other for other in others if other]
    for place, token in enumerate(said):
        counts = Counter([token, *(other[place] for other in alike)])
        # Of two equally likely ones, the one that sorts first.
        likeliest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]
        total = counts.total()
        entries.append(
            {**_entry(token, counts[token] / total), "top_logprobs": [_entry(t, n / total) for t, n in likeliest]}
        )
        alike = [other for other in alike if other[place] == token and len(other) > place + 1]
    return entries


def _entry(token: str, probability: float) -> JsonObject:
    return {"token": token, "bytes": list(token.encode()), "logprob": math.log(probability)}
