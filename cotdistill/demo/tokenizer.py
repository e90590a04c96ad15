"""The word-level tokenizer of the tiny student: Qwen2's own byte-level one, with every known word added whole.

A token is a word, mark or number of 0..99 with the space before it, or a line break: `Ben has 23.` is
`Ben| has| 23|.`. Other text falls into bytes, so that any text comes back from its tokens as it was.
It is a Qwen2Tokenizer because AutoTokenizer takes no other class beside a Qwen2 model (transformers 5).
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cotdistill.demo.exercises import NOT_FOUND
from cotdistill.demo.phrases import ENGLISH
from cotdistill.demo.problems import LARGEST
from cotdistill.think_tags import PAIRS

if TYPE_CHECKING:
    from transformers import Qwen2Tokenizer

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

TAGS = ("system", "user", "assistant", "\n", "\n\n", *(tag for pair in PAIRS for tag in pair))
"""Roles and what some styles of a rationale put around it: never with a space before."""
STYLES = "#### ### --> END Q: A: Let's think step by step. Therefore, the answer is"
"""What other styles put around it."""

PIECE = re.compile(r" ?(?:#+|-->|\w+(?:'\w+)?|[^\w\s])")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def pieces(more: Sequence[str] = ()) -> list[str]:
    """Return every known piece of text, sorted: what may begin a line both with and without a space before.

    `more` are further texts whose words are known.
    """
    leading = (
        *(*ENGLISH.names, *ENGLISH.starts, *ENGLISH.questions),
        *(ENGLISH.opening, *ENGLISH.finals, NOT_FOUND, STYLES, *more),
    )
    inner = (
        *(*ENGLISH.things, *ENGLISH.gains, *ENGLISH.losses),
        *(form for forms in ENGLISH.equations for form in forms),
        *(str(number) for number in range(LARGEST + 1)),
    )
    lines = (*leading, *(f" {text}" for text in (*leading, *inner)))
    words = (piece for line in lines for piece in PIECE.findall(re.sub(r" ?\{\w+\}", "", line)))
    return sorted({*TAGS, *words})


def build(*, max_length: int, more: Sequence[str] = ()) -> "Qwen2Tokenizer":
    """Return the tokenizer with a ChatML template; sequences above `max_length` tokens warn.

    `more` are further texts whose words are known.
    """
    from tokenizers import AddedToken, pre_tokenizers
    from transformers import Qwen2Tokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Qwen2Tokenizer(
        vocab={byte: i for i, byte in enumerate(alphabet)},
        merges=[],
        unk_token=None,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=[START],
        model_max_length=max_length,
    )
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in pieces(more)])
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
