"""The next token of every row."""

from collections import Counter

import pytest
import torch

from cotdistill.records import Sampling
from cotdistill.samplers import _draws
from cotdistill.samplers._asks import Ask
from cotdistill.samplers._draws import chance_of, choose


def _ask(seed: int, **sampling) -> Ask:
    return Ask(0, [1], [], 1, Sampling(**sampling), seed)


def _shares(logits: list[float], **sampling) -> dict[int, float]:
    count = 4000
    chances = [chance_of(_ask(seed, **sampling)) for seed in range(count)]
    drawn = Counter(choose(torch.tensor([logits]).expand(count, -1), chances).tolist())
    return {token: n / count for token, n in drawn.items()}


def test_without_a_temperature_the_most_probable_token_is_chosen():
    assert chance_of(_ask(1, temperature=0)) is chance_of(_ask(1)) is None
    assert choose(torch.tensor([[1.0, 3.0, 2.0], [5.0, 3.0, 2.0]]), [None, None]).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_probable(temperature):
    logits = [2.0, 1.0, -1.0, 0.0, -torch.inf]
    expected = torch.softmax(torch.tensor(logits) / temperature, 0).tolist()
    found = _shares(logits, temperature=temperature)
    assert 4 not in found
    assert all(abs(found.get(token, 0) - share) < 0.03 for token, share in enumerate(expected))


def test_top_p_draws_from_the_fewest_tokens_that_hold_so_much():
    logits = torch.tensor([0.1, 0.5, 0.3, 0.1]).log().tolist()
    found = _shares(logits, temperature=1.0, top_p=0.6)
    assert found.keys() == {1, 2}
    assert abs(found[1] - 5 / 8) < 0.03
    assert _shares(logits, temperature=1.0, top_p=1e-6) == {1: 1.0}


def test_a_nucleus_wider_than_the_first_look_is_found(monkeypatch):
    logits = torch.randn(3, 200, generator=torch.Generator().manual_seed(1))
    asks = [_ask(seed, temperature=1.0, top_p=0.97) for seed in range(3)]
    whole = choose(logits, [chance_of(ask) for ask in asks]).tolist()
    monkeypatch.setattr(_draws, "FIRST_LOOK", 4)
    assert choose(logits, [chance_of(ask) for ask in asks]).tolist() == whole


def test_rows_of_different_samplings_share_a_batch():
    logits = torch.randn(4, 30, generator=torch.Generator().manual_seed(1))
    kinds = [{}, {"temperature": 1.0}, {"temperature": 0.7, "top_p": 0.9}, {"temperature": 1.3}]
    asks = [_ask(9 + n, **kind) for n, kind in enumerate(kinds)]
    together = choose(logits, [chance_of(ask) for ask in asks]).tolist()
    assert together == [choose(row[None], [chance_of(ask)]).item() for row, ask in zip(logits, asks, strict=True)]
