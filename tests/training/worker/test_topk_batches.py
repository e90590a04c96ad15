"""Batches with the teacher's distributions beside their supervised tokens."""

import pytest

from cotdistill.losses import IGNORED
from cotdistill.registry import make
from cotdistill.students import IDS
from cotdistill.training.prepare.topk_file import TopKFile, TopKRow, write_topk
from tests.support.tiny_student import SIZES
from tests.support.token_rows import answer_row

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

VOCABULARY, K = 64, 3


def row(name, *, prompt, answer):
    """Return a row whose tokens tell it from others."""
    first = sum(map(ord, name)) % 40
    return answer_row([(first + n) % VOCABULARY for n in range(prompt + answer)], prompt, name)


def columns(tokens, rng):
    """Return columns for so many tokens, each with candidates of its own."""
    probs = rng.random((tokens, K)).astype(np.float32)
    return TopKRow(rng.integers(VOCABULARY, size=(tokens, K)).astype(np.uint32), probs / probs.sum(-1, keepdims=True))


@pytest.fixture
def rows():
    return [row("a/0", prompt=2, answer=3), row("b/1", prompt=4, answer=5), row("c/0", prompt=1, answer=2)]


@pytest.fixture
def stored(rows, tmp_path):
    """The columns by id; `c/0` has none."""
    rng = np.random.default_rng(1)
    known = {one.id: columns(one.supervised_tokens, rng) for one in rows[:2]}
    write_topk(known.items(), tmp_path)
    return known


def together(given):
    """Collate without padding, the longest row first: one row of all, its ids in that order."""
    ordered = sorted(given, key=lambda one: -len(one.input_ids))
    ids = torch.tensor([[token for one in ordered for token in one.input_ids]])
    labels = torch.tensor([[label for one in ordered for label in (IGNORED, *one.labels[1:])]])
    return {"input_ids": ids, "labels": labels, IDS: tuple(one.id for one in ordered)}


def padded(given):
    return make("students", "demo").collator(0)(given)


@pytest.mark.parametrize("collate", [padded, together])
def test_columns_stand_in_the_order_of_the_supervised_tokens(rows, stored, tmp_path, collate):
    from cotdistill.training.worker.topk_batches import TopKCollator, read_top_k

    batch = TopKCollator(collate, TopKFile(tmp_path, K))(rows)
    found = read_top_k(batch)
    targets = batch["labels"][:, 1:]
    assert len(found.ids_NK) == len(found.probs_NK) == (targets != IGNORED).sum() == 10
    none = TopKRow(np.zeros((2, K), np.uint32), np.zeros((2, K), np.float32))
    expected = [stored.get(name, none) for name in batch[IDS]]
    assert found.ids_NK.tolist() == np.concatenate([part.ids_NK for part in expected]).tolist()
    assert found.probs_NK.tolist() == np.concatenate([part.probs_NK for part in expected]).tolist()
    tokens = {one.id: [label for label in one.labels if label != IGNORED] for one in rows}
    assert targets[targets != IGNORED].tolist() == [token for name in batch[IDS] for token in tokens[name]]


def test_a_row_that_fills_a_step_up_has_no_columns(rows, stored, tmp_path):
    from cotdistill.training.worker.topk_batches import TopKCollator, read_top_k

    filler = answer_row(rows[0].input_ids, len(rows[0].input_ids), "a/0")
    batch = TopKCollator(padded, TopKFile(tmp_path, K))([filler, rows[0]])
    assert read_top_k(batch).ids_NK.tolist() == stored["a/0"].ids_NK.tolist()


def test_a_row_whose_tokens_are_others_is_no_silent_mistake(rows, stored, tmp_path):
    from cotdistill.training.worker.topk_batches import TopKCollator

    longer = row("a/0", prompt=2, answer=4)
    with pytest.raises(AssertionError, match="a/0 has 4 supervised tokens, not 3"):
        TopKCollator(padded, TopKFile(tmp_path, K))([longer])


def _model(name):
    from transformers import Gemma2Config, Gemma2ForCausalLM, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(3)
    sizes = SIZES | {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if name == "qwen2":
        return Qwen2ForCausalLM(Qwen2Config(**sizes))
    return Gemma2ForCausalLM(Gemma2Config(**sizes, head_dim=16, final_logit_softcapping=0.1))


@pytest.mark.parametrize("name", ["qwen2", "gemma2"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_step_learns_the_divergence_at_the_head_or_not(rows, stored, tmp_path, name, workers):
    from transformers import TrainingArguments

    from cotdistill.training.worker.head_loss import MeanLoss, learning_by
    from cotdistill.training.worker.topk_batches import TopKCollator

    model, losses = _model(name), []
    with torch.no_grad():
        expected = _directly(model, rows, stored)
    kl = make("losses", "top_k_kl", k=K)
    settings = {"per_device_train_batch_size": 3, "max_steps": 1, "use_cpu": True, "dataloader_num_workers": workers}
    learning_by(make("students", "demo").trainer_class())(
        model=model,
        args=TrainingArguments(str(tmp_path / "out"), remove_unused_columns=False, report_to="none", **settings),
        train_dataset=rows,
        data_collator=TopKCollator(padded, TopKFile(tmp_path, K)),
        compute_loss_func=MeanLoss(lambda batch: losses.append(kl(batch)) or losses[-1]),
    ).train()
    (loss,) = losses
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def _directly(model, rows, stored):
    total = 0.0
    for one in rows:
        scores = model(torch.tensor([one.input_ids])).logits[0].float().log_softmax(-1)
        for number, place in enumerate(range(len(one.input_ids) - one.supervised_tokens, len(one.input_ids))):
            if one.id not in stored:
                total -= scores[place - 1, one.input_ids[place]].item()
                continue
            known = stored[one.id]
            for token, p in zip(known.ids_NK[number].tolist(), known.probs_NK[number].tolist(), strict=True):
                total += p * (torch.tensor(p).log().item() - scores[place - 1, token].item())
    return total
