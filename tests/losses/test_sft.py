"""The summed loss of the supervised tokens."""

import pytest

from cotdistill import registry
from cotdistill.losses import IGNORED, LossBatch


def _batch(torch, rows=2, length=7, hidden=5, vocabulary=11):
    """Return hidden states, labels and a head."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(rows, length, hidden, generator=generator)
    labels = torch.randint(vocabulary, (rows, length), generator=generator)
    head = torch.nn.Linear(hidden, vocabulary, bias=False)
    torch.nn.init.normal_(head.weight, generator=generator)
    return states, labels, head


def _sft(states, labels, head):
    return registry.make("losses", "sft")(LossBatch(states, head, labels, ("p/0", "p/1")))


def test_it_is_the_sum_over_tokens_given_what_stands_before_them():
    import torch

    states, labels, head = _batch(torch)
    log_probabilities = head(states).log_softmax(-1)
    expected = -sum(log_probabilities[b, t - 1, labels[b, t]] for b in range(2) for t in range(1, 7))
    assert _sft(states, labels, head).item() == pytest.approx(expected.item(), rel=1e-5)


def test_ignored_positions_neither_count_nor_get_gradient():
    import torch

    states, labels, head = _batch(torch)
    labels[:, :4] = IGNORED
    states.requires_grad_()
    loss = _sft(states, labels, head)
    loss.backward()
    assert loss.item() == pytest.approx(_sft(states[:, 3:], labels[:, 3:], head).item(), rel=1e-5)
    # The states at t say what stands at t + 1, so those at 3 are the first that count and the last ones never do.
    assert (states.grad.abs().sum((0, 2)) > 0).tolist() == [False, False, False, True, True, True, False]


def test_each_token_counts_by_its_weight():
    import torch

    states, labels, head = _batch(torch)
    labels[0, :3] = IGNORED
    weights = torch.rand(labels.shape)
    log_probabilities = head(states).log_softmax(-1)
    places = [(b, t) for b in range(2) for t in range(1, 7) if labels[b, t] != IGNORED]
    expected = -sum(weights[b, t] * log_probabilities[b, t - 1, labels[b, t]] for b, t in places)
    found = registry.make("losses", "sft")(LossBatch(states, head, labels, ("p/0", "p/1"), weights_BT=weights))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_padding_changes_nothing():
    import torch

    states, labels, head = _batch(torch)
    wider = torch.cat([states, torch.full((2, 3, 5), 5.0)], dim=1)
    padded = torch.cat([labels, torch.full((2, 3), IGNORED)], dim=1)
    assert _sft(wider, padded, head).item() == pytest.approx(_sft(states, labels, head).item(), rel=1e-6)


def test_half_precision_logits_are_summed_in_float32():
    import torch

    states, labels, head = _batch(torch)
    loss = _sft(states.bfloat16(), labels, head.bfloat16())
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(_sft(states, labels, head.float()).item(), rel=0.02)


def test_logits_are_made_of_supervised_positions_alone():
    import torch

    states, labels, head = _batch(torch)
    labels[0, :4] = IGNORED
    labels[1, 5:] = IGNORED
    asked = []
    head.register_forward_hook(lambda module, given, logits: asked.append(tuple(logits.shape)))
    _sft(states, labels, head)
    assert asked == [(3 + 4, 11)]


def test_a_batch_without_supervised_tokens_has_no_loss_and_no_gradient():
    import torch

    states, labels, head = _batch(torch)
    loss = _sft(states, torch.full_like(labels, IGNORED), head)
    loss.backward()
    assert loss.item() == 0
    assert not head.weight.grad.any()
