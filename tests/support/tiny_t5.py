"""An encoder-decoder small enough for tests: a T5 that knows eleven words and a prefix."""

import random
from itertools import combinations
from pathlib import Path

from cotdistill.records import Conversation, Message

WORDS = ["solve:", "ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay", "koi"]


def make_t5(folder: Path, *, is_tied=True, known=WORDS, **sizes) -> str:
    """Write weights drawn from a seed, and a tokenizer of whole words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    words = {word: number for number, word in enumerate(["<pad>", "</s>", "<unk>", *known])}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(folder)
    sizes = {"d_model": 64, "d_ff": 128, "d_kv": 16, "num_heads": 4, "num_layers": 1, "dropout_rate": 0.0} | sizes
    config = T5Config(vocab_size=len(words), tie_word_embeddings=is_tied, decoder_start_token_id=0, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        T5ForConditionalGeneration(config).save_pretrained(folder)
    return str(folder)


def copies() -> tuple[list[Conversation], list[Conversation]]:
    """Return conversations that ask for up to three words and answer with the same, and others that are held out."""
    said = [" ".join(words) for count in (1, 2, 3) for words in combinations(WORDS[1:], count)]
    random.Random(1).shuffle(said)
    rows = [
        Conversation(
            id=f"p{number}",
            messages=(Message(role="user", content=f"solve: {text}"), Message(role="assistant", content=text)),
        )
        for number, text in enumerate(said)
    ]
    return rows[50:], rows[:50]
