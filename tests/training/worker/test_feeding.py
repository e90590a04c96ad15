"""What each process is fed: every row once an epoch, the same rows in a step however many processes there are."""

import pytest

from cotdistill.records import IGNORED
from cotdistill.training.prepare.packing import pack, unpacked
from cotdistill.training.worker.dealing import Places, deal_end_to_end, deal_padded
from tests.support.token_rows import answer_row

torch = pytest.importorskip("torch")

LENGTHS = [3, 50, 7, 7, 21, 9, 34, 2, 18, 40, 11, 5, 28]


def _epoch(ranks, micro_steps, rows, *, bins=None, deal=deal_end_to_end, epoch=0, **changes):
    """Return the micro-steps of every rank."""
    from cotdistill.training.worker.feeding import MicroSteps

    bins = bins or unpacked(LENGTHS)
    places = Places(ranks, micro_steps, rows, rows * max(bins.tokens))
    options = {"seed": 3, "is_shuffled": True} | changes
    fed = []
    for rank in range(ranks):
        steps = MicroSteps(bins, deal, places, rank=rank, **options)
        steps.set_epoch(epoch)
        fed.append(list(steps))
        assert len(steps) == len(fed[-1])
    return fed


def _learned(fed, start=0, end=None):
    return sorted(row for steps in fed for rows in steps[start:end] for row in rows if row >= 0)


@pytest.mark.parametrize("deal", [deal_end_to_end, deal_padded])
@pytest.mark.parametrize("ranks", [1, 2, 5, 16])
@pytest.mark.parametrize(("micro_steps", "rows"), [(1, 1), (1, 4), (3, 1), (3, 2)])
def test_every_row_is_learned_from_once_and_every_rank_has_as_many_micro_steps(deal, ranks, micro_steps, rows):
    fed = _epoch(ranks, micro_steps, rows, deal=deal)
    assert _learned(fed) == list(range(13))
    assert len({len(steps) for steps in fed}) == 1
    assert all(steps for steps in fed)
    assert all(rows for steps in fed for rows in steps), "a micro-step without any row"


def test_a_step_has_the_same_rows_on_one_process_and_on_four():
    one, four = _epoch(1, 2, 4), _epoch(4, 2, 1)
    for step in range(2):
        assert _learned(one, 2 * step, 2 * step + 2) == _learned(four, 2 * step, 2 * step + 2)


def test_epochs_differ_and_a_seed_gives_the_same_again():
    assert _epoch(2, 1, 2) == _epoch(2, 1, 2)
    assert _epoch(2, 1, 2) != _epoch(2, 1, 2, epoch=1)
    assert _epoch(2, 1, 2) != _epoch(2, 1, 2, seed=4)


def test_rows_can_come_as_they_stand():
    fed = _epoch(2, 1, 2, is_shuffled=False)
    assert [_learned(fed, step, step + 1) for step in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert _learned(fed, 3) == [12]


def test_a_bin_is_fed_whole():
    bins = pack(LENGTHS, 60)
    fed = _epoch(2, 1, 1, bins=bins)
    assert _learned(fed) == list(range(13))
    whole = {tuple(bins[number]) for number in range(len(bins))}
    assert {tuple(rows) for steps in fed for rows in steps if rows[0] >= 0} <= whole


def test_a_filler_is_a_row_that_nothing_is_learned_from():
    from cotdistill.training.worker.feeding import Supply

    supply = Supply([answer_row([1, 2, 3], 1, "a/0"), answer_row([4, 5], 1, "b/0")])
    assert supply[1].labels == [IGNORED, 5]
    assert (supply[~1].input_ids, supply[~1].labels, supply[~1].id) == ([4, 5], [IGNORED, IGNORED], "b/0")
