"""How messages become text: the tokenizer's own chat template, or one by the name that openMind's users know.

Loading a student's tokenizer with `template: qwen` gives it that template, so it asks after training as it was taught.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

QWEN = (
    "{%- if messages[0]['role'] != 'system' %}"
    "{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}"
    "{%- endif %}"
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""ChatML with Qwen2.5's system prompt, as `qwen` means in LLaMA-Factory and openMind."""

OWN = "default"
"""The tokenizer's own template, as no name at all."""


class Named(NamedTuple):
    """A template that is not the tokenizer's own."""

    jinja: str
    control: tuple[str, ...]
    """What must be single tokens of the vocabulary."""


TEMPLATES = {"qwen": Named(QWEN, ("<|im_start|>", "<|im_end|>"))}


def use_template(tokenizer: "PreTrainedTokenizerBase", name: str | None) -> None:
    """Give the tokenizer the template of that name; None and `default` leave its own.

    Raises: UserError: an unknown name, no template at all, or a vocabulary without the template's control tokens.
    """
    if name is None or name == OWN:
        if tokenizer.chat_template is None:
            raise UserError("the student's tokenizer has no chat template", hint=_known())
        return
    if name not in TEMPLATES:
        raise UserError(f"unknown template `{name}`", hint=_known())
    chosen = TEMPLATES[name]
    vocabulary = tokenizer.get_vocab()
    if missing := [token for token in chosen.control if token not in vocabulary]:
        raise UserError(f"template `{name}` needs {', '.join(missing)} in the student's vocabulary", hint=_known())
    tokenizer.chat_template = chosen.jinja


def text_around(tokenizer: "PreTrainedTokenizerBase", roles: Sequence[str], *, is_prompt: bool) -> list[str]:
    """Return what the template puts before, between and after messages of these roles: one text more than roles.

    A prompt ends where the assistant speaks. Raises: UserError where the template does not hold each message once.
    """
    from jinja2 import TemplateError

    # Characters for private use stand in for the contents: no template looks for them or changes them.
    marks = [f"\ue000{number}\ue001" for number in range(len(roles))]
    messages = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
    try:
        text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=is_prompt))
    except TemplateError as error:
        raise UserError(f"the chat template refuses the roles {', '.join(roles)}: {error}") from None
    around = []
    for role, mark in zip(roles, marks, strict=True):
        if text.count(mark) != 1:
            raise UserError(f"the chat template leaves out or repeats a {role} message")
        before, _, text = text.partition(mark)
        around.append(before)
    return [*around, text]


def _known() -> str:
    return f"write `template:` in the `train:` section; known: {', '.join(sorted((*TEMPLATES, OWN)))}"
