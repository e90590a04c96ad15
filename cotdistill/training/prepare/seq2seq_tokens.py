"""Conversations -> token rows for a model that reads a text and writes another, as T5 does: there is no chat template.

A row holds the text's tokens and the end of sequence, then the answer's and the end of sequence, which are supervised.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cotdistill.errors import UserError
from cotdistill.prompts import as_text
from cotdistill.records import Conversation
from cotdistill.styles import Style
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, TokenRow
from cotdistill.training.prepare.tokens import Encoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Seq2SeqEncoder(Encoder):
    """A tokenizer without a chat template, asked for token rows."""

    @cached_property
    def end_id(self) -> int:
        """Id of the token that ends the text and the answer. Raises: UserError where there is none."""
        if self.tokenizer.eos_token_id is None:
            raise UserError("the student's tokenizer has no token that ends an answer", hint="give it an eos_token")
        return int(self.tokenizer.eos_token_id)

    def encode(self, conversations: Sequence[Conversation]) -> Iterator[TokenRow]:
        """Yield a row per conversation, in order, of any length: text and answer count together."""
        texts = self._speller.contents([as_text(conversation.prompt) for conversation in conversations])
        said = [conversation.messages[-1].content for conversation in conversations]
        answers = self._encode_answers(said, [0] * len(said))
        for conversation, text, (answer, learned) in zip(conversations, texts, answers, strict=True):
            given = bytes([GIVEN]) * (len(text) + 1)
            ids = [*text, self.end_id, *answer, self.end_id]
            yield TokenRow(ids, given + learned + bytes([ANSWER]), conversation.id)


def encoder_of(
    tokenizer: "PreTrainedTokenizerBase",
    *,
    masks_history: bool = False,
    gives_empty_thoughts: bool = False,
    style: Style | None = None,
) -> Encoder:
    """Return what makes the student's rows: `load_tokenizer` leaves a chat template to those that chat alone."""
    kind = Seq2SeqEncoder if tokenizer.chat_template is None else Encoder
    return kind(tokenizer, masks_history=masks_history, gives_empty_thoughts=gives_empty_thoughts, style=style)
