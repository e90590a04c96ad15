"""The divergence to the teacher's tokens where they fit, cross-entropy elsewhere."""

from dataclasses import replace

import pytest

from cotdistill import registry
from cotdistill.errors import RecipeFault
from cotdistill.losses import IGNORED, LossBatch, TopK, TopKLoss

torch = pytest.importorskip("torch")

VOCABULARY, K = 11, 3


def _batch(*, length=9, hidden=5, without=()):
    """Return a batch of two rows, one of them padded, and its head; tokens `without` have no distribution."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(2, length, hidden, generator=generator).requires_grad_()
    labels = torch.randint(VOCABULARY, (2, length), generator=generator)
    labels[0, :4] = labels[1, :2] = labels[1, 6:] = IGNORED
    head = torch.nn.Linear(hidden, VOCABULARY, bias=False)
    torch.nn.init.normal_(head.weight, generator=generator)
    count = int((labels[:, 1:] != IGNORED).sum())
    ids = torch.rand(count, VOCABULARY, generator=generator).argsort(-1)[:, :K]
    probs = torch.rand(count, K, generator=generator)
    probs[2, 2] = 0
    probs /= probs.sum(-1, keepdim=True)
    probs[list(without)] = 0
    return LossBatch(states, head, labels, ("p/0", "p/1"), teacher_top_k=TopK(ids, probs))


def _loss(batch, **options):
    """Return the loss, and the gradients of states and head."""
    loss = registry.make("losses", "top_k_kl", **options)(batch)
    return loss.detach(), torch.autograd.grad(loss, [batch.hidden_BTD, batch.head.weight])


def _directly(batch, *, alpha=0.0):
    """The same over whole distributions, token by token as the definition has it."""
    scores = batch.head(batch.hidden_BTD).log_softmax(-1)
    total = 0
    for number, (b, t) in enumerate((batch.labels_BT[:, 1:] != IGNORED).nonzero().tolist()):
        ids, probs = (part[number] for part in batch.teacher_top_k)
        teacher = torch.zeros(VOCABULARY).index_put((ids,), probs)
        cross_entropy = -scores[b, t, batch.labels_BT[b, t + 1]]
        divergence = torch.nn.functional.kl_div(scores[b, t], teacher, reduction="sum")
        is_compared = teacher.sum() > 0
        total = total + ((1 - alpha) * divergence + alpha * cross_entropy if is_compared else cross_entropy)
    return total.detach(), torch.autograd.grad(total, [batch.hidden_BTD, batch.head.weight])


def _assert_same(one, other):
    torch.testing.assert_close(one[0], other[0], atol=1e-5, rtol=1e-5)
    for gradient, expected in zip(one[1], other[1], strict=True):
        torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("without", [(), (0, 5)])
@pytest.mark.parametrize("chunk", [512, 2])
def test_it_is_the_divergence_of_whole_distributions_with_its_gradients(monkeypatch, alpha, without, chunk):
    monkeypatch.setattr("cotdistill.losses.top_k_kl.CHUNK_TOKENS", chunk)
    batch = _batch(without=without)
    _assert_same(_loss(batch, alpha=alpha, k=K), _directly(batch, alpha=alpha))


def test_rows_without_log_probabilities_learn_as_in_sft():
    batch = _batch(without=range(9))
    sft = registry.make("losses", "sft")(batch)
    _assert_same(_loss(batch, k=K), (sft.detach(), torch.autograd.grad(sft, [batch.hidden_BTD, batch.head.weight])))


def test_a_token_that_weighs_nothing_is_not_there():
    batch = _batch()
    weights = torch.rand(batch.labels_BT.shape, generator=torch.Generator().manual_seed(1)).round()
    gone = batch.labels_BT.masked_fill(weights == 0, IGNORED)
    stays = weights[:, 1:][batch.labels_BT[:, 1:] != IGNORED] > 0
    less = replace(batch, labels_BT=gone, teacher_top_k=TopK(*(part[stays] for part in batch.teacher_top_k)))
    _assert_same(_loss(replace(batch, weights_BT=weights), k=K), _loss(less, k=K))


def test_a_student_that_says_what_the_teacher_says_has_nothing_to_learn():
    head = torch.nn.Identity()
    probs = torch.tensor([[0.7, 0.2, 0.1]])
    logits = torch.full((1, 2, VOCABULARY), -40.0)
    logits[0, 0, [4, 2, 9]] = probs[0].log()
    labels, top_k = torch.tensor([[IGNORED, 2]]), TopK(torch.tensor([[4, 2, 9]]), probs)
    batch = LossBatch(logits.requires_grad_(), head, labels, ("p/0",), teacher_top_k=top_k)
    loss = registry.make("losses", "top_k_kl", k=K)(batch)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert batch.hidden_BTD.grad.abs().max() < 1e-6


def test_a_batch_without_supervised_tokens_has_no_loss_and_no_gradient():
    full = _batch()
    empty = TopK(torch.zeros(0, K, dtype=torch.long), torch.zeros(0, K))
    batch = replace(full, labels_BT=torch.full_like(full.labels_BT, IGNORED), teacher_top_k=empty)
    loss, gradients = _loss(batch, k=K)
    assert loss == 0
    assert not any(gradient.any() for gradient in gradients)


def test_logits_of_all_tokens_never_exist_at_once(monkeypatch):
    monkeypatch.setattr("cotdistill.losses.top_k_kl.CHUNK_TOKENS", 4)
    batch, asked = _batch(), []
    batch.head.register_forward_hook(lambda module, given, logits: asked.append(tuple(logits.shape)))
    _loss(batch, k=K)
    assert max(asked) == (4, VOCABULARY)
    assert len(asked) == 6, "three chunks, each made again for its gradients"


def test_half_precision_is_summed_in_float32():
    batch = _batch()
    kl = registry.make("losses", "top_k_kl", k=K)
    exact = kl(batch).item()
    half = replace(batch, hidden_BTD=batch.hidden_BTD.bfloat16(), head=batch.head.bfloat16())
    loss = kl(half)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact, rel=0.02)


def test_only_it_asks_for_the_teachers_distributions():
    asking = {name for name in registry.kinds("losses") if isinstance(registry.make("losses", name), TopKLoss)}
    assert asking == {"top_k_kl"}


def test_a_file_that_is_not_there_is_refused(tmp_path):
    registry.make("losses", "top_k_kl").check()
    with pytest.raises(RecipeFault, match="no such file"):
        registry.make("losses", "top_k_kl", logprobs=tmp_path / "none").check()
