"""Chat templates shaped like those of well-known students, and conversations that try them."""

import random

from cotdistill.records import Conversation, Message

CHATML = "{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}"
CHATML_ASKED = "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
THOUGHT_OPENED = "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n<think>\\n' -}}{%- endif -%}"

VERBATIM = (
    "{%- if messages[0].role != 'system' -%}{{- '<|im_start|>system\\nYou help.<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for m in messages -%}" + CHATML + "{%- endfor -%}" + CHATML_ASKED
)
"""Every message to the letter, and a system prompt of its own: Qwen2.5."""

DROPS_THOUGHTS = (
    "{%- set last = namespace(user=-1) -%}"
    "{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set last.user = loop.index0 -%}{%- endif -%}{%- endfor -%}"
    "{%- for m in messages -%}{%- if m.role == 'assistant' -%}"
    "{%- set parts = m.content.split('</think>') -%}"
    "{%- set said = parts[-1].lstrip('\\n') if parts|length > 1 else m.content -%}"
    "{%- set thought = parts[0].split('<think>')[-1].strip('\\n') if parts|length > 1 else '' -%}"
    "{{- '<|im_start|>assistant\\n' -}}"
    "{%- if loop.index0 > last.user -%}{{- '<think>\\n' + thought + '\\n</think>\\n\\n' -}}{%- endif -%}"
    "{{- said + '<|im_end|>\\n' -}}"
    "{%- else -%}" + CHATML + "{%- endif -%}{%- endfor -%}" + CHATML_ASKED
)
"""Thoughts of turns before the last question go, an empty one is put before an answer without: Qwen3."""

TRIMS = (
    "{{- '<|begin_of_text|>' -}}{%- for m in messages -%}"
    "{{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}"
)
"""Contents without the spaces around them: Llama 3."""

OPENS_THOUGHTS = (
    "{{- '<|begin_of_text|>' -}}{%- for m in messages -%}"
    "{%- if m.role == 'system' -%}{{- m.content | trim -}}"
    "{%- elif m.role == 'user' -%}{{- '<|User|>' + m.content -}}"
    "{%- else -%}{{- '<|Assistant|>' + m.content.split('</think>')[-1] + '<|end_of_sentence|>' -}}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|Assistant|><think>\\n' -}}{%- endif -%}"
)
"""Every answer begins in a thought, none of which stays: R1's distillates."""

OPENS_AND_KEEPS = "{%- for m in messages -%}" + CHATML + "{%- endfor -%}" + THOUGHT_OPENED
"""Every answer begins in a thought, and earlier ones stay to the letter."""

SHAPES = {
    "verbatim": VERBATIM,
    "drops_thoughts": DROPS_THOUGHTS,
    "trims": TRIMS,
    "opens_thoughts": OPENS_THOUGHTS,
    "opens_and_keeps": OPENS_AND_KEEPS,
}
ENDS = {"trims": "<|eot_id|>", "opens_thoughts": "<|end_of_sentence|>"}
"""What ends an answer, where it is not ChatML's."""

CONTROL = (
    *("<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    *("<|User|>", "<|Assistant|>", "<|end_of_sentence|>"),
)


def shaped_tokenizer(folder, shape, *, tags_are_special=False):
    """Return a tokenizer that knows all control tokens, and `<think>` as tokens that are special or not."""
    from tokenizers import AddedToken
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tags = [AddedToken(tag, special=tags_are_special, normalized=False) for tag in ("<think>", "</think>")]
    tokenizer.add_special_tokens({"extra_special_tokens": [*CONTROL, *(tags if tags_are_special else [])]})
    tokenizer.add_tokens([] if tags_are_special else tags)
    tokenizer.eos_token = ENDS.get(shape, "<|im_end|>")
    tokenizer.chat_template = SHAPES[shape]
    return tokenizer


def conversations(count, *, seed, control=()):
    """Return conversations of one to four turns: with thoughts, spaces at the borders, and these texts in them."""
    chance = random.Random(seed)

    def content(role):
        words = [
            chance.choice(["7", "两", "é🙂", "is  12", "\n\nso", "What?", *control])
            for _ in range(chance.randint(0, 4))
        ]
        text = chance.choice(["", "", " ", "\n", "\n\n "]) + " ".join(words) + chance.choice(["", "", " ", "\n"])
        if role != "assistant":
            return text
        thought = f"<think>{chance.choice(['', chr(10)])}{' '.join(words)}\n</think>{chance.choice(['', chr(10) * 2])}"
        return chance.choice(["", "", thought, " " + thought]) + text

    made = []
    for number in range(count):
        roles = ["system"] * chance.randint(0, 1) + ["user", "assistant"] * chance.randint(1, 4)
        messages = tuple(Message(role=role, content=content(role)) for role in roles)
        made.append(Conversation(id=str(number), messages=messages))
    return made
