"""Rows of the embeddings for tokens that a model did not know."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from transformers import PreTrainedModel
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

from cotdistill.students import NewToken

MULTIPLE = 64
"""Rows are filled up to a multiple of it, as matrix units like it."""


def add_rows(model: PreTrainedModel, new_tokens: Sequence[NewToken]) -> None:
    """Give each new token the mean of what its pieces were, in embeddings and head.

    A vocabulary that was filled up keeps its size where there is room, as Qwen2.5's 152,064 rows for 151,665 tokens.
    """
    if not new_tokens:
        return
    needed = 1 + max(token.id for token in new_tokens)
    if needed > model.get_input_embeddings().num_embeddings:
        # Rows that fill it up are drawn aside: an adapter that is drawn next must not depend on them.
        with torch.random.fork_rng():
            model.resize_token_embeddings(needed, pad_to_multiple_of=MULTIPLE, mean_resizing=False)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tables = [embedding.weight]
    if head is not None and head.weight is not embedding.weight:
        tables += [head.weight] if getattr(head, "bias", None) is None else [head.weight, head.bias]
    with torch.no_grad(), _gathered(tables):
        for table in tables:
            for token in new_tokens:
                table[token.id] = table[list(token.pieces)].float().mean(0).to(table.dtype)


def _gathered(tables: Sequence[torch.nn.Parameter]) -> AbstractContextManager[object]:
    """Let every process see the whole of weights that ZeRO-3 shares out; what the first one writes holds for all."""
    if not is_deepspeed_zero3_enabled():
        return nullcontext()
    import deepspeed

    gathered: AbstractContextManager[object] = deepspeed.zero.GatheredParameters(list(tables), modifier_rank=0)
    return gathered
