"""The summed loss of the supervised tokens."""

import pytest

from cotdistill import registry
from cotdistill.losses import IGNORED


def _batch(torch, rows=2, length=7, vocabulary=11):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, length, vocabulary, generator=generator)
    labels = torch.randint(vocabulary, (rows, length), generator=generator)
    return logits, labels


def test_it_is_the_sum_over_tokens_given_what_stands_before_them():
    import torch

    logits, labels = _batch(torch)
    log_probabilities = logits.log_softmax(-1)
    expected = -sum(log_probabilities[b, t - 1, labels[b, t]] for b in range(2) for t in range(1, 7))
    assert registry.make("losses", "sft")(logits, labels) == pytest.approx(expected.item(), rel=1e-5)


def test_ignored_positions_neither_count_nor_get_gradient():
    import torch

    logits, labels = _batch(torch)
    labels[:, :4] = IGNORED
    logits.requires_grad_()
    sft = registry.make("losses", "sft")
    loss = sft(logits, labels)
    loss.backward()
    assert loss.item() == pytest.approx(sft(logits[:, 3:], labels[:, 3:]).item(), rel=1e-5)
    # The logits at t say what stands at t + 1, so those at 3 are the first that count and the last ones never do.
    assert (logits.grad.abs().sum((0, 2)) > 0).tolist() == [False, False, False, True, True, True, False]


def test_padding_changes_nothing():
    import torch

    logits, labels = _batch(torch)
    wider = torch.cat([logits, torch.full((2, 3, 11), 5.0)], dim=1)
    padded = torch.cat([labels, torch.full((2, 3), IGNORED)], dim=1)
    sft = registry.make("losses", "sft")
    assert sft(wider, padded).item() == pytest.approx(sft(logits, labels).item(), rel=1e-6)


def test_half_precision_logits_are_summed_in_float32():
    import torch

    logits, labels = _batch(torch)
    loss = registry.make("losses", "sft")(logits.bfloat16(), labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(registry.make("losses", "sft")(logits, labels).item(), rel=0.02)
