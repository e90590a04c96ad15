"""Tokens that a tokenizer is given beside its own: `<think>` as one token instead of three."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cotdistill.errors import UserError
from cotdistill.students import NewToken

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)


def add_tokens(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]) -> tuple[NewToken, ...]:
    """Give the tokenizer a token for each text that is none yet, and return those with what they were before.

    They are not of the tokenizer's `special` ones, which an answer would lose when it is read: as in Qwen3, `<think>`
    is a token and a text. Raises: UserError: a text that the tokenizer cannot spell.
    """
    from transformers import AddedToken

    if not texts:
        return ()
    known = tokenizer.get_vocab()
    fresh = [text for text in texts if text not in known]
    log.info("%d new tokens: %s", len(fresh), " ".join(fresh) or "all of them are in the vocabulary")
    spelled = {text: tuple(tokenizer.encode(text, add_special_tokens=False)) for text in fresh}
    if lost := next((text for text in fresh if not spelled[text]), None):
        raise UserError(f"the tokenizer has no tokens for `{lost}`", "train.new_special_tokens")
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=False) for text in fresh])
    return tuple(NewToken(id=tokenizer.convert_tokens_to_ids(text), pieces=spelled[text]) for text in fresh)
