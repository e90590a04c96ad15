"""Which traces of one problem to keep where there are more than are wanted."""

from collections.abc import Sequence
from typing import Literal

from cotdistill.filters import Reason
from cotdistill.filters.duplicates import whole_text
from cotdistill.filters.shingles import jaccard, shingles
from cotdistill.records import Trace

Preference = Literal["first", "shortest", "longest", "diverse"]


def reasons_against_surplus(traces: Sequence[Trace], most: int, prefer: Preference) -> list[Reason | None]:
    """Return for each trace of one problem why it is one too many; None for what is chosen."""
    kept = set(chosen(traces, most, prefer))
    by = "" if prefer == "first" else f", by `prefer: {prefer}`"
    reason = Reason("surplus", f"{len(traces)} of this problem are left, {len(kept)} are kept{by}")
    return [None if i in kept else reason for i in range(len(traces))]


def chosen(traces: Sequence[Trace], most: int, prefer: Preference) -> list[int]:
    """Return the positions of at most `most` traces, in the order of choice; the earlier one wins a tie."""
    places = list(range(len(traces)))
    if len(traces) <= most:
        return places
    if prefer == "diverse":
        return _farthest_first(traces, most)
    if prefer in ("shortest", "longest"):
        sign = 1 if prefer == "shortest" else -1
        places.sort(key=lambda i: sign * len(whole_text(traces[i])))
    return places[:most]


def _farthest_first(traces: Sequence[Trace], most: int) -> list[int]:
    """Return the first trace, then again and again the one that is least like those already chosen.

    Different reasoning for the same answer is what helps students (Ho et al. 2023, sec. 4.2); the greedy choice is
    within a factor of two of the widest spread (Gonzalez 1985).
    """
    texts = [shingles(whole_text(trace)) for trace in traces]
    picked = [0]
    nearest = [jaccard(texts[0], text) for text in texts]
    while len(picked) < most:
        following = min((i for i in range(len(texts)) if i not in picked), key=lambda i: nearest[i])
        picked.append(following)
        nearest = [max(old, jaccard(texts[following], text)) for old, text in zip(nearest, texts, strict=True)]
    return picked
