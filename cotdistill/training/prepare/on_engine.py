"""Conversations -> token rows on a cluster: each worker gets the tokenizer once, and blocks of conversations."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from cotdistill.engines import Engine
from cotdistill.records import Conversation
from cotdistill.styles import Style
from cotdistill.training.prepare.seq2seq_tokens import encoder_of
from cotdistill.training.prepare.tokens import BATCH_ROWS, Encoded, tokenize

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Block = list[Conversation]

OWN_CODE = "transformers_modules."
"""Where transformers puts Python code that came with a model: no other machine has it."""


@dataclass(frozen=True)
class Tokenizing:
    """How the conversations of one training become tokens."""

    tokenizer: "PreTrainedTokenizerBase"
    cutoff_len: int
    masks_history: bool = False
    gives_empty_thoughts: bool = False
    style: Style | None = None
    """Tells rationale from answer where they weigh otherwise in the loss."""
    shorten_in: Style | None = None
    """Tells rationale from answer where long rationales are shortened."""

    def rows(self, conversations: Iterable[Conversation], engine: Engine | None) -> Iterator[Encoded]:
        """Yield what becomes of each conversation, in order; None: on this machine, which tokenises on all cores.

        Raises: UserError where the template refuses a conversation.
        """
        if engine is None or type(self.tokenizer).__module__.startswith(OWN_CODE):
            return self.open()(conversations)
        waiting = iter(conversations)
        blocks = iter(lambda: list(islice(waiting, BATCH_ROWS)), [])
        return chain.from_iterable(engine.map_blocks(partial(_open, self), blocks))

    def open(self) -> Callable[[Iterable[Conversation]], Iterator[Encoded]]:
        """Return what tokenises in this process."""
        encoder = encoder_of(
            self.tokenizer,
            masks_history=self.masks_history,
            gives_empty_thoughts=self.gives_empty_thoughts,
            style=self.style,
        )
        return partial(tokenize, encoder=encoder, cutoff_len=self.cutoff_len, shorten_in=self.shorten_in)


def _open(tokenizing: Tokenizing) -> Callable[[Block], list[Encoded]]:
    rows_of = tokenizing.open()
    return lambda block: list(rows_of(block))
