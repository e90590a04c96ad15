"""How messages become text: the tokenizer's own chat template, or one by the name that openMind's users know.

Loading a student's tokenizer with `template: qwen` gives it that template, so it asks after training as it was taught.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.errors import UserError
from cotdistill.records import Message
from cotdistill.think_tags import CLOSE, PAIRS, THINK, has_empty_thought, split_thinking, thinking_end

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TURNS = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""ChatML as it is, `qwen3_nothink` in LLaMA-Factory: that of Qwen3's Instruct models, which do not think."""

QWEN = (
    "{%- if messages[0]['role'] != 'system' %}"
    "{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}"
    "{%- endif %}"
) + TURNS
"""ChatML with Qwen2.5's system prompt, as `qwen` means in LLaMA-Factory and openMind."""

MARK = "\ue000{0}\ue001"
"""What stands in for contents: characters for private use, which no template looks for or changes."""
PROBE = " \n<think>\n\ue000{0}\ue001\n</think>\n\n\ue000{0}\ue001 \n"
"""A content that a template would change if it trims contents or drops thoughts."""

OWN = "default"
"""The tokenizer's own template, as no name at all."""


CHATML = ("<|im_start|>", "<|im_end|>")
DEEPSEEK = ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")


class Named(NamedTuple):
    """What LLaMA-Factory and openMind mean by a template's name."""

    jinja: str | None
    """None: the tokenizer's own template, if it writes these control tokens."""
    control: tuple[str, ...]
    """What must be single tokens of the vocabulary."""


TEMPLATES = {
    "qwen": Named(QWEN, CHATML),
    "qwen3": Named(None, CHATML),
    "qwen3_nothink": Named(TURNS, CHATML),
    "llama3": Named(None, ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "deepseek3": Named(None, DEEPSEEK),
    "deepseekr1": Named(None, DEEPSEEK),
}


def use_template(tokenizer: "PreTrainedTokenizerBase", name: str | None) -> None:
    """Give the tokenizer the template of that name; None and `default` leave its own.

    Raises: UserError: an unknown name, no template at all, or a student without the template's control tokens.
    """
    chosen = Named(None, ()) if name is None or name == OWN else TEMPLATES.get(name)
    if chosen is None:
        raise UserError(f"unknown template `{name}`", hint=_known())
    if chosen.jinja is None and tokenizer.chat_template is None:
        raise UserError("the student's tokenizer has no chat template", hint=_known())
    vocabulary = tokenizer.get_vocab()
    if missing := [token for token in chosen.control if token not in vocabulary]:
        raise UserError(f"template `{name}` needs {', '.join(missing)} in the student's vocabulary", hint=_known())
    if chosen.jinja is not None:
        tokenizer.chat_template = chosen.jinja
    elif any(token not in _marked(tokenizer, ("user", "assistant"), is_prompt=False) for token in chosen.control):
        raise UserError(f"the student's own template is not `{name}`: it writes other control tokens", hint=_known())


def render(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], *, is_prompt: bool) -> str:
    """Return the text of these messages; a prompt ends where the assistant speaks.

    Raises: UserError where the template refuses them.
    """
    from jinja2 import TemplateError

    said = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=is_prompt))
    except TemplateError as error:
        roles = ", ".join(message.role for message in messages)
        raise UserError(f"the chat template refuses the roles {roles}: {error}", hint=_ways_out(messages)) from None


def text_around(tokenizer: "PreTrainedTokenizerBase", roles: Sequence[str], *, is_prompt: bool) -> list[str] | None:
    """Return what the template puts before, between and after messages of these roles: one text more than roles.

    None: it does not hold each content once, in order and to the letter. Raises: UserError: it refuses the roles or
    leaves a message out.
    """
    text = _marked(tokenizer, roles, is_prompt=is_prompt)
    around = []
    for message in _messages(roles, MARK):
        before, _, text = text.partition(message.content)
        around.append(before)
    around.append(text)
    for contents in (MARK, PROBE):
        probed = _messages(roles, contents)
        filled = around[0] + "".join(m.content + after for m, after in zip(probed, around[1:], strict=True))
        if not _comes_to(tokenizer, probed, filled, is_prompt=is_prompt):
            return None
    return around


def text_after_answer(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return what the template puts behind an answer. Raises: UserError as `text_around` does."""
    return _marked(tokenizer, ("user", "assistant"), is_prompt=False).rpartition(MARK.format(1))[2]


def opened_pair(prompt: str) -> tuple[str, str] | None:
    """Return the tags of the thought that a prompt ends in the beginning of; None where it opens none."""
    asked = prompt.rstrip()
    return next((pair for pair in PAIRS if asked.endswith(pair[0])), None)


def written_already(prompt: str, answer: str) -> int:
    """Return how many of an answer's first characters the prompt ends with: the tag that opens its thoughts."""
    opened = opened_pair(prompt)
    start = len(answer) - len(answer.lstrip())
    if opened is None or not answer.startswith(opened[0], start):
        return 0
    end, behind = start + len(opened[0]), prompt[len(prompt.rstrip()) :]
    return end + len(behind) if answer.startswith(behind, end) else end


class EmptyThought(NamedTuple):
    """The empty thought of an answer, as the prompt shows it."""

    shown: str
    """What of it follows the prompt; empty where the template has written it already."""
    written: int
    """First characters of the answer that are part of it."""


def empty_thought(prompt: str, answer: str) -> EmptyThought | None:
    """Return the empty thought behind which an answer stands; None: it thinks.

    It is the answer's own, else what Qwen3's template writes where nobody is to think.
    """
    written = written_already(prompt, answer)
    if has_empty_thought(answer):
        end = thinking_end(answer)
        end += len(answer[end:]) - len(answer[end:].lstrip())
        return EmptyThought(answer[written:end], end)
    if split_thinking(answer).thought != "none":
        return None
    if prompt.rstrip().endswith(CLOSE):
        return EmptyThought("", 0)
    opening, closing = opened_pair(prompt) or THINK
    opened = prompt[prompt.rindex(opening) :] if opened_pair(prompt) else ""
    return EmptyThought(f"{opening}\n\n{closing}\n\n".removeprefix(opened), 0)


def _marked(tokenizer: "PreTrainedTokenizerBase", roles: Sequence[str], *, is_prompt: bool) -> str:
    """Return the text of such messages with marks as contents. Raises: UserError: one of them is missing."""
    messages = _messages(roles, MARK)
    text = render(tokenizer, messages, is_prompt=is_prompt)
    if missing := next((message for message in messages if message.content not in text), None):
        raise UserError(f"the chat template leaves out a {missing.role} message", hint=_ways_out(messages))
    return text


def _messages(roles: Sequence[str], content: str) -> list[Message]:
    return [Message(role=role, content=content.format(number)) for number, role in enumerate(roles)]


def _comes_to(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], text: str, *, is_prompt: bool) -> bool:
    try:
        return render(tokenizer, messages, is_prompt=is_prompt) == text
    except UserError:  # it refuses such contents
        return False


def _ways_out(messages: Sequence[Message]) -> str:
    has_system = any(message.role == "system" for message in messages)
    return ('leave the system prompt out (the style\'s `system: ""`), or ' if has_system else "") + _known()


def _known() -> str:
    return f"write `template:` in the `train:` section; known: {', '.join(sorted((*TEMPLATES, OWN)))}"
