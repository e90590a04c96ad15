"""What known providers do with requests: options that they ignore without a word, and how they go on with an answer."""

from typing import NamedTuple
from urllib.parse import urlsplit

from cotdistill.client.sse import JsonRow
from cotdistill.records import Sampling

IGNORED_BY_DEEPSEEK = ("temperature", "top_p")
"""By models that think; the others take them (DeepSeek API docs, "Thinking Mode")."""


def ignored_options(base_url: str, model: str) -> tuple[str, ...]:
    """Return the sampling options that the server of a model is known to ignore."""
    return IGNORED_BY_DEEPSEEK if _is_of(base_url, "deepseek.com") and model != "deepseek-chat" else ()


def without(sampling: Sampling, ignored: tuple[str, ...]) -> Sampling:
    """Return the sampling options but these."""
    return sampling.model_copy(update=dict.fromkeys(ignored))


class Continuation(NamedTuple):
    """How a server is told to go on with the last message, which is the assistant's."""

    message: JsonRow
    """Fields of that message."""
    body: JsonRow
    """Fields of the request."""


_BY_MESSAGE = {
    "deepseek.com": "prefix",  # with a base_url that ends in /beta
    "mistral.ai": "prefix",
    "aliyuncs.com": "partial",
    "moonshot.cn": "partial",
    "moonshot.ai": "partial",
}
"""Field of the message, by the provider's domain, as their API docs name it."""

_NEVER = ("openai.com", "anthropic.com")


def continuation(base_url: str) -> Continuation | None:
    """Return how the server at an address goes on with an answer that is begun; None: it never does.

    vLLM, SGLang and what else renders the chat template by transformers' rules take `continue_final_message`.
    """
    if any(_is_of(base_url, domain) for domain in _NEVER):
        return None
    for domain, name in _BY_MESSAGE.items():
        if _is_of(base_url, domain):
            return Continuation({name: True}, {})
    return Continuation({}, {"continue_final_message": True, "add_generation_prompt": False})


def _is_of(base_url: str, domain: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == domain or host.endswith(f".{domain}")
