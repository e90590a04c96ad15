"""The loss of a linear head, formed chunk by chunk: the numbers of torch's cross-entropy of all logits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.losses import LinearHead, LossBatch

torch = pytest.importorskip("torch")

TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}
SHAPES = st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(1, 8))
"""Tokens, hidden units, vocabulary."""


def _case(shape, *, dtype=torch.float32, has_bias=False, seed=0, size=1.0):
    """Return hidden states and a head with gradients, and targets."""
    tokens, width, vocabulary = shape
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, width, generator=generator, dtype=dtype)
    weight = torch.randn(vocabulary, width, generator=generator, dtype=dtype) * size
    bias = torch.randn(vocabulary, generator=generator, dtype=dtype) if has_bias else None
    targets = torch.randint(vocabulary, (tokens,), generator=generator)
    for tensor in (hidden, weight, bias):
        if tensor is not None:
            tensor.requires_grad_()
    return hidden, LinearHead(weight, bias), targets


def _chunked(*arguments, rows=3, **options):
    from cotdistill.losses._linear_cross_entropy import linear_cross_entropy

    return linear_cross_entropy(*arguments, chunk_bytes=rows * 4 * arguments[1].weight_VD.shape[0], **options)


def _plain(hidden, head, targets, weights=None):
    """The reference: all logits, then torch's own loss."""
    logits = torch.nn.functional.linear(hidden, head.weight_VD, head.bias_V)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (losses if weights is None else losses * weights).sum()


def _gradients(loss, hidden, head):
    """Return loss and gradients, and forget the gradients."""
    tensors = [tensor for tensor in (hidden, head.weight_VD, head.bias_V) if tensor is not None]
    (loss * 0.7).backward()  # as a mean over a step scales it
    found = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    return [loss.detach(), *found]


@given(SHAPES, st.integers(1, 10), st.booleans(), st.booleans(), st.sampled_from(list(TOLERANCE)), st.integers(0, 99))
@settings(max_examples=150)
def test_loss_and_gradients_are_those_of_all_logits(shape, rows, has_bias, is_weighted, dtype, seed):
    hidden, head, targets = _case(shape, dtype=dtype, has_bias=has_bias, seed=seed, size=3.0)
    weights = torch.rand(shape[0], dtype=dtype) if is_weighted else None
    expected = _gradients(_plain(hidden, head, targets, weights), hidden, head)
    found = _gradients(_chunked(hidden, head, targets, weights, rows=rows), hidden, head)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("frozen", ["hidden", "weight", "bias", "weight and bias"])
def test_what_is_frozen_gets_no_gradient_and_the_others_theirs(frozen):
    hidden, head, targets = _case((7, 4, 5), has_bias=True)
    for name, tensor in (("hidden", hidden), ("weight", head.weight_VD), ("bias", head.bias_V)):
        tensor.requires_grad_(name not in frozen)
    expected = _gradients(_plain(hidden, head, targets), hidden, head)
    with _Noted() as noted:
        found = _gradients(_chunked(hidden, head, targets), hidden, head)
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        if other is not None:
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    if "weight" in frozen:
        assert "addmm_" not in noted.names, "a gradient was formed that nobody asked for"


def test_embeddings_that_are_the_head_too_get_the_sum_of_both_gradients():
    _, head, targets = _case((8, 4, 6))
    found = []
    for loss in (_plain, _chunked):
        hidden = torch.tanh(torch.nn.functional.embedding(torch.arange(8) % 6, head.weight_VD))
        loss(hidden, head, targets).backward()
        found.append(head.weight_VD.grad)
        head.weight_VD.grad = None
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-5)


def test_micro_steps_add_up():
    hidden, head, targets = _case((9, 4, 6))
    expected = _gradients(_plain(hidden, head, targets), hidden, head)
    for part in (slice(0, 4), slice(4, 9)):
        (_chunked(hidden[part], head, targets[part]) * 0.7).backward()
    torch.testing.assert_close(head.weight_VD.grad, expected[2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(hidden.grad, expected[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("is_autocast", [True, False])
def test_bfloat16_is_within_its_rounding_of_float32(has_bias, is_autocast):
    hidden, head, targets = _case((200, 16, 50), has_bias=has_bias, size=0.2)
    expected = _gradients(_plain(hidden, head, targets), hidden, head)
    if not is_autocast:
        bias = None if head.bias_V is None else head.bias_V.detach().bfloat16().requires_grad_()
        head = LinearHead(head.weight_VD.detach().bfloat16().requires_grad_(), bias)
        hidden = hidden.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=is_autocast):
        loss = _chunked(hidden, head, targets, rows=7)
    found = _gradients(loss, hidden, head)
    assert found[0].dtype == torch.float32
    assert {gradient.dtype for gradient in found[1:]} == {torch.float32 if is_autocast else torch.bfloat16}
    for one, other in zip(found, expected, strict=True):
        error = (one.float() - other).norm() / other.norm()
        assert error < 0.01


def test_the_sum_over_many_chunks_of_bfloat16_keeps_what_is_small():
    """A sum in bfloat16 stands still where what is added is a 256th of it: 3,000 equal rows would count as 256."""
    weight = torch.zeros(2, 1, dtype=torch.bfloat16, requires_grad=True)
    hidden = torch.ones(3000, 1, dtype=torch.bfloat16)
    _chunked(hidden, LinearHead(weight), torch.zeros(3000, dtype=torch.long), rows=1).backward()
    torch.testing.assert_close(weight.grad.float(), torch.tensor([[-1500.0], [1500.0]]), rtol=0.005, atol=0.0)


def test_a_loss_scale_beyond_float16_leaves_gradients_finite():
    hidden, head, targets = _case((5, 4, 6), size=0.01)
    half = LinearHead(head.weight_VD.detach().half().requires_grad_())
    hidden = (hidden.detach() * 0.01).half().requires_grad_()
    loss = _chunked(hidden, half, targets)
    (loss * 65536).backward()
    assert half.weight_VD.grad.isfinite().all()
    assert hidden.grad.isfinite().all()
    assert hidden.grad.abs().max() > 1


def test_a_target_without_any_chance_costs_what_its_logit_says():
    hidden = torch.tensor([[1.0]], requires_grad=True)
    head = LinearHead(torch.tensor([[0.0], [-3e4]]))
    loss = _chunked(hidden, head, torch.tensor([1]))
    loss.backward()
    assert loss.item() == 3e4
    assert hidden.grad.item() == 3e4


class _Noted(torch.utils._python_dispatch.TorchDispatchMode):
    """Notes the operations and the largest tensor that they make."""

    def __init__(self):
        super().__init__()
        self.names = []
        self.largest = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **kwargs or {})
        self.names.append(operation.overloadpacket._qualified_op_name.removeprefix("aten::"))
        if isinstance(made, torch.Tensor):
            self.largest = max(self.largest, made.numel())
        return made


def test_no_more_than_a_chunk_of_logits_ever_exists():
    hidden, head, targets = _case((100, 4, 60))
    with _Noted() as noted:
        _chunked(hidden, head, targets, rows=10).backward()
    assert noted.largest == 10 * 60


def test_without_gradients_none_are_formed():
    hidden, head, targets = _case((10, 4, 6))
    with torch.no_grad(), _Noted() as noted:
        loss = _chunked(hidden, head, targets, rows=5)
    assert not loss.requires_grad
    assert noted.names.count("mm") == 2
    torch.testing.assert_close(loss, _plain(hidden, head, targets).detach())


def test_a_second_backward_pass_is_refused():
    hidden, head, targets = _case((4, 3, 5))
    loss = _chunked(hidden, head, targets)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="it has one backward pass"):
        loss.backward()


@given(SHAPES, st.booleans(), st.integers(0, 99))
@settings(max_examples=30)
def test_a_head_that_is_no_linear_layer_is_asked_for_logits(shape, is_weighted, seed):
    from cotdistill.losses._linear_cross_entropy import summed_cross_entropy

    hidden, linear, targets = _case(shape, has_bias=True, seed=seed)
    weights = torch.rand(shape[0]) if is_weighted else None
    batch = LossBatch(
        hidden, lambda states: torch.nn.functional.linear(states, linear.weight_VD, linear.bias_V), targets, ()
    )
    expected = _gradients(_plain(hidden, linear, targets, weights), hidden, linear)
    found = _gradients(summed_cross_entropy(batch, hidden, targets, weights), hidden, linear)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
