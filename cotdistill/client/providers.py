"""What known providers do with requests: options that they take and ignore without a word."""

from urllib.parse import urlsplit

from cotdistill.records import Sampling

IGNORED_BY_DEEPSEEK = ("temperature", "top_p")
"""By models that think; the others take them (DeepSeek API docs, "Thinking Mode")."""


def ignored_options(base_url: str, model: str) -> tuple[str, ...]:
    """Return the sampling options that the server of a model is known to ignore."""
    host = urlsplit(base_url).hostname or ""
    if (host == "deepseek.com" or host.endswith(".deepseek.com")) and model != "deepseek-chat":
        return IGNORED_BY_DEEPSEEK
    return ()


def without(sampling: Sampling, ignored: tuple[str, ...]) -> Sampling:
    """Return the sampling options but these."""
    return sampling.model_copy(update=dict.fromkeys(ignored))
