"""When an answer ends, and its text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cotdistill.samplers._asks import Ask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SPARE_TOKENS = 8
"""Tokens that are read beyond the ones that a stop text can have: special ones have no text."""


@dataclass(frozen=True)
class Endings:
    """Tokens and texts that end an answer."""

    tokenizer: "PreTrainedTokenizerBase"
    stop_ids: frozenset[int]

    def is_end(self, ask: Ask, answer: list[int]) -> bool:
        """Return whether the last token of an answer ends it."""
        if answer[-1] in self.stop_ids:
            return True
        stops = ask.sampling.stop
        if not stops:
            return False
        # A token has a byte at least: so many of the last ones hold a stop text that the last one completes.
        tail = answer[-(max(len(stop.encode()) for stop in stops) + SPARE_TOKENS) :]
        return _first(self._decode(tail), stops) >= 0 and _first(self._decode(answer), stops) >= 0

    def text(self, ask: Ask, answer: list[int], prefix: str) -> str:
        """Return an answer's text without the token or text that ended it; `prefix` is what it goes on from."""
        said = answer[:-1] if answer and answer[-1] in self.stop_ids else answer
        text = self._decode(said)
        if prefix:
            # A word's first token tells its space only to what stands before it, with some tokenizers.
            before = (ask.begun or ask.prompt)[-SPARE_TOKENS:]
            start, whole = self._decode(before), self._decode([*before, *said])
            text = whole[len(start) :] if whole.startswith(start) else text
        end = _first(text, ask.sampling.stop or ())
        return text if end < 0 else text[:end]

    def _decode(self, tokens: list[int]) -> str:
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return text


def _first(text: str, stops: tuple[str, ...]) -> int:
    """Return where the first of these texts begins; -1: none is there."""
    return min((at for stop in stops if (at := text.find(stop)) >= 0), default=-1)
