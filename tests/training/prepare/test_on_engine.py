"""Conversations that become tokens in blocks."""

from cotdistill.engines.local import LocalEngine
from cotdistill.registry import make
from cotdistill.training.prepare.on_engine import Tokenizing
from tests.support.tiny_student import sums


def test_blocks_of_conversations_become_the_same_rows(tokenizer):
    for tokenizing in (
        Tokenizing(tokenizer, 40),
        Tokenizing(tokenizer, 40, masks_history=True, shorten_in=make("styles", "plain")),
    ):
        whole = list(tokenizing.rows(sums(600), None))
        assert list(tokenizing.rows(sums(600), LocalEngine(1))) == whole
        assert 0 < sum(encoded.row is None for encoded in whole) < 600


def test_a_tokenizer_whose_code_came_with_the_model_stays_on_this_machine(tokenizer):
    class NoEngine:
        def map_blocks(self, setup, blocks):
            raise AssertionError("no other machine has its code")

    own = type("Own", (type(tokenizer),), {"__module__": "transformers_modules.folder.code"})
    stays = Tokenizing(tokenizer, 40)
    expected = list(stays.rows(sums(5), None))
    kind = type(tokenizer)
    tokenizer.__class__ = own
    try:
        assert list(stays.rows(sums(5), NoEngine())) == expected
    finally:
        tokenizer.__class__ = kind
