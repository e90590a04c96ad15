"""Rows held out of a training to be looked at on the way."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.errors import UserError
from cotdistill.training.held_out import SAMPLE_INDEX, choose, hold_out
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.prepare import prepare
from cotdistill.training.prepare.tokenfile import TokenFile
from tests.support.tiny_student import sums

IDS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)), min_size=1, max_size=30)


@given(IDS, st.floats(0.01, 0.99) | st.integers(1, 30), st.integers(0, 3))
def test_samples_of_a_problem_are_on_one_side_and_as_many_rows_as_asked(pairs, size, seed):
    ids = [f"{problem}/{index}" for problem, index in pairs]
    chosen = choose(ids, size, seed=seed)
    assert chosen == choose(ids, size, seed=seed)
    problems = [SAMPLE_INDEX.sub("", row_id) for row_id in ids]
    inside = {problems[number] for number in chosen}
    assert chosen == {number for number, problem in enumerate(problems) if problem in inside}
    wanted = min(len(ids), math.ceil(size * len(ids)) if size < 1 else size)
    largest = max(problems.count(problem) for problem in problems)
    assert wanted <= len(chosen) < wanted + largest


def test_another_seed_holds_out_other_rows():
    ids = [f"p{n}" for n in range(100)]
    assert choose(ids, 0.2, seed=1) != choose(ids, 0.2, seed=2)
    assert choose(ids, 5, seed=1) < choose(ids, 0.2, seed=1), "more is what there was, and more"


def test_what_is_learned_from_and_what_is_held_out_are_all_rows(tokenizer, tmp_path):
    def made(folder):
        return prepare(sums(12), tokenizer, TrainOptions(), style=None, folder=folder, data_key="x")

    whole = made(tmp_path)
    rows = {row.id: row for row in map(TokenFile(whole.folder).__getitem__, range(12))}
    left = hold_out(whole, 3, seed=1)
    learned, held = (TokenFile(folder) for folder in (left.folder, left.folder / "evaluation"))
    assert (len(learned), len(held)) == (9, 3) == (left.written.rows, 12 - left.written.rows)
    found = [file[number] for file in (learned, held) for number in range(len(file))]
    assert {row.id: row for row in found} == rows
    assert list(left.lengths) == list(whole.lengths)
    with pytest.raises(UserError, match=r"train.val_size: 0.95 holds out all 12 rows"):
        hold_out(whole, 0.95, seed=1)
