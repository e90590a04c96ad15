"""The next token of every row of a batch: the most probable one, or one that is drawn.

B: rows, V: vocabulary.
"""

import random
from collections.abc import Sequence

import torch

from cotdistill.samplers._asks import Ask

FIRST_LOOK = 1024
"""Most probable tokens among which a top-p draw is looked for before all of them are sorted."""

BELOW_ONE = 1 - 2**-22
"""Greatest share of a float32 sum that still lies below the sum."""


class Chance:
    """What a row's tokens are drawn with: a generator of its own, so that no draw depends on the row's company."""

    def __init__(self, ask: Ask) -> None:
        self.temperature = float(ask.sampling.temperature or 1)
        self.top_p = 1.0 if ask.sampling.top_p is None else ask.sampling.top_p
        self._random = random.Random(ask.seed)

    def share(self) -> float:
        """Return the next number, from 0 to below 1."""
        return min(self._random.random(), BELOW_ONE)


def chance_of(ask: Ask) -> Chance | None:
    """Return what draws an ask's tokens; None at temperature 0, which is the default."""
    return Chance(ask) if ask.sampling.temperature else None


def choose(logits_BV: torch.Tensor, chances: Sequence[Chance | None]) -> torch.Tensor:  # noqa: N803
    """Return one token per row (B, on the logits' device)."""
    chosen_B = logits_BV.argmax(dim=-1)  # noqa: N806
    for is_nucleus in (False, True):
        rows = [n for n, c in enumerate(chances) if c is not None and (c.top_p < 1) is is_nucleus]
        if rows:
            drawing = [chance for n in rows if (chance := chances[n]) is not None]
            draw = _draw_from_nucleus if is_nucleus else _draw_from_all
            chosen_B[rows] = draw(_probabilities(logits_BV[rows], drawing), drawing)
    return chosen_B


def _probabilities(logits_BV: torch.Tensor, chances: Sequence[Chance]) -> torch.Tensor:  # noqa: N803
    temperature_B1 = logits_BV.new_tensor([[c.temperature] for c in chances], dtype=torch.float32)  # noqa: N806
    return torch.softmax(logits_BV.float() / temperature_B1, dim=-1)


def _draw_from_all(p_BV: torch.Tensor, chances: Sequence[Chance]) -> torch.Tensor:  # noqa: N803
    sums_BV = p_BV.cumsum(dim=-1)  # noqa: N806
    share_B1 = p_BV.new_tensor([[c.share()] for c in chances])  # noqa: N806
    return torch.searchsorted(sums_BV, share_B1 * sums_BV[:, -1:], right=True).squeeze(-1)


def _draw_from_nucleus(p_BV: torch.Tensor, chances: Sequence[Chance]) -> torch.Tensor:  # noqa: N803
    """Draw from the fewest most probable tokens that hold `top_p` of the probability (Holtzman et al. 2020)."""
    share_B1 = p_BV.new_tensor([[c.share()] for c in chances])  # noqa: N806
    top_B1 = p_BV.new_tensor([[c.top_p] for c in chances])  # noqa: N806
    chosen_B, is_inside_B = _look(p_BV.topk(min(FIRST_LOOK, p_BV.shape[-1])), share_B1, top_B1)  # noqa: N806
    wide = (~is_inside_B).nonzero().squeeze(-1)
    if wide.numel():
        chosen_B[wide], _ = _look(p_BV[wide].sort(descending=True, stable=True), share_B1[wide], top_B1[wide])
    return chosen_B


def _look(
    ranked: Sequence[torch.Tensor],
    share_B1: torch.Tensor,  # noqa: N803
    top_B1: torch.Tensor,  # noqa: N803
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a token per row, and whether these most probable ones, `ranked`, hold the row's nucleus."""
    p_BK, tokens_BK = ranked  # noqa: N806
    sums_BK = p_BK.cumsum(dim=-1)  # noqa: N806
    kept_BK = sums_BK - p_BK < top_B1  # noqa: N806
    kept_BK[:, 0] = True
    mass_B1 = sums_BK.gather(1, kept_BK.sum(dim=-1, keepdim=True) - 1)  # noqa: N806
    place_B1 = torch.searchsorted(sums_BK, share_B1 * mass_B1, right=True)  # noqa: N806
    return tokens_BK.gather(1, place_B1).squeeze(-1), sums_BK[:, -1] >= top_B1.squeeze(-1)
