"""A model whose answers have the lengths that are asked for, and the same whatever the batch and the rounding.

The last word of a prompt is the k-th of a chain; the model answers with the words before it, down to its end: k tokens.
Each word's embedding points to the word before it by a wide margin; all other weights are random and small.
"""

import itertools
from pathlib import Path

from cotdistill import registry

SIZES = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": False,
}
TEMPLATE = "{{ messages[-1]['content'] }}"
BARE_WORDS = 8192
MADE_WORDS = ["".join(parts) for parts in itertools.product("bdfgklmnpr", "aeiou", "bdfgklmn", "aeiou", "nr")]


def make_countdown(folder: Path, *, longest: int, tokenizer: Path | None = None, **sizes: object) -> list[str]:
    """Write the model and return its chain: a prompt that ends with `chain[k]` is answered with k tokens."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    words = folder / "tokenizer"
    loaded = _whole_words() if tokenizer is None else AutoTokenizer.from_pretrained(tokenizer)
    loaded.chat_template = TEMPLATE
    loaded.save_pretrained(words)
    ids = _chain(loaded, longest)
    model = registry.make("students", "full", model=str(words), init="random", config=SIZES | sizes)
    weights = AutoModelForCausalLM.from_pretrained(model.base(folder / "base", seed=1))
    _point_back(weights, ids)
    weights.generation_config.eos_token_id = ids[0]
    weights.save_pretrained(folder / "model")
    loaded.save_pretrained(folder / "model")
    return ["", *(loaded.decode([token]).strip() for token in ids[1:])]


def _whole_words():
    """Return a byte-level tokenizer to which most made words are one token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=BARE_WORDS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    bpe.train_from_iterator([" ".join(MADE_WORDS)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|endoftext|>", pad_token="<|endoftext|>")


def _chain(tokenizer, longest: int) -> list[int]:
    """Return the end's token, then those of so many words that stay one token after a space."""
    found = [tokenizer.eos_token_id]
    for token in range(300, len(tokenizer)):
        word = tokenizer.decode([token]).strip()
        after = tokenizer.encode(f". {word}", add_special_tokens=False)
        if word.isascii() and word.isalnum() and after[1:] == [token]:
            found.append(token)
        if len(found) > longest:
            return found
    raise AssertionError(f"the tokenizer has no {longest} words")


def _point_back(weights, ids: list[int]) -> None:
    import torch

    with torch.no_grad():
        width = weights.config.hidden_size
        directions = torch.randn(len(ids), width, generator=torch.Generator().manual_seed(1))
        weights.get_input_embeddings().weight[ids] = directions
        weights.get_output_embeddings().weight[ids[:-1]] = directions[1:] / width**0.5
