"""Texts -> token ids, where control tokens are what the template wrote and never what a content says.

The tags by which a model marks its thinking are no control tokens: an answer writes them itself.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from cotdistill.records import Message
from cotdistill.think_tags import PAIRS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

STAND_IN = 0xF0000
"""First of the characters for private use that stand in for control tokens while a template is at work."""


class Placed(NamedTuple):
    """The tokens of a text, and the characters of the text from which each of them is made."""

    ids: list[int]
    places: list[tuple[int, int]]
    """First character and the one behind the last; no places from a tokenizer that tells none."""

    def before(self, place: int) -> int:
        """Return how many tokens end in front of this character."""
        return bisect_right(self.places, place, key=lambda found: found[1])

    def behind(self, place: int) -> int:
        """Return the number of the first token that starts at this character or behind it."""
        return bisect_left(self.places, place, key=lambda found: found[0])


class Speller:
    """A tokenizer, asked for the tokens of texts."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        self._ids = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
        tags = [tag for pair in PAIRS for tag in pair if tag in self._ids]
        self.control = [token for token in self._ids if token not in tags]
        self.control_ids = frozenset(self._ids[token] for token in self.control) - {tokenizer.unk_token_id}
        self._named = _any_of(self.control)
        self._tags = _any_of(tags)
        self._written = _any_of(self._ids)
        self._stand_ins = {_stand_in(number, token): token for number, token in enumerate(self.control)}
        self._hidden = _any_of(self._stand_ins)

    def hide(self, messages: list[Message]) -> list[Message]:
        """Return messages with stand-ins of the same length for the control tokens that their contents name.

        Where they name none it is the very same list.
        """
        if not any(token in message.content for message in messages for token in self.control):
            return messages
        hidden = (self._named.sub(self._stand_in_for, message.content) for message in messages)
        return [Message(role=message.role, content=text) for message, text in zip(messages, hidden, strict=True)]

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of texts as inference encodes them: a control token's text is that token."""
        return self._encode(texts)

    def placed_texts(self, texts: Sequence[str]) -> list[Placed]:
        """Return their tokens with their places; what stand-ins stand for is spelled out."""
        has_stand_ins = [self._hidden.search(text) is not None for text in texts]
        pairs = list(zip(texts, has_stand_ins, strict=True))
        spelled = iter(self._spelled([text for text, is_hidden in pairs if is_hidden], self._written))
        whole = iter(self._encode_placed([text for text, is_hidden in pairs if not is_hidden]))
        return [next(spelled if is_hidden else whole) for is_hidden in has_stand_ins]

    def contents(self, texts: Sequence[str]) -> list[list[int]]:
        """Return tokens of plain words; a word-level vocabulary cannot spell a control token out, so there it goes."""
        if any(map(self._tags.search, texts)):
            return [tokens.ids for tokens in self.placed_contents(texts)]
        encoded = self._encode(texts, split_special_tokens=True)
        return [
            ids if self.control_ids.isdisjoint(ids) else [token for token in ids if token not in self.control_ids]
            for ids in encoded
        ]

    def placed_contents(self, texts: Sequence[str]) -> list[Placed]:
        """Return tokens of plain words with their places."""
        return self._spelled(texts, self._tags)

    def _spelled(self, texts: Sequence[str], written: "re.Pattern[str]") -> list[Placed]:
        """Return the tokens of texts in which what the pattern finds is a token, and all else plain words."""
        pieces = [written.split(text) for text in texts]
        words = [self._shown(word) for row in pieces for word in row[::2]]
        encoded = iter(self._encode_placed(words, split_special_tokens=True))
        return [self._joined(row, encoded) for row in pieces]

    def _joined(self, pieces: Sequence[str], encoded: Iterator[Placed]) -> Placed:
        """Return the tokens of one text; every second piece is the text of a token."""
        found, start = Placed([], []), 0
        for number, piece in enumerate(pieces):
            end = start + len(piece)
            if number % 2:
                found.ids.append(self._ids[piece])
                found.places.append((start, end))
            else:
                for token, (first, last) in zip(*next(encoded), strict=True):
                    if token not in self.control_ids:
                        found.ids.append(token)
                        found.places.append((start + first, start + last))
            start = end
        return found

    def _stand_in_for(self, found: "re.Match[str]") -> str:
        return _stand_in(self.control.index(found[0]), found[0])

    def _shown(self, text: str) -> str:
        return self._hidden.sub(lambda found: self._stand_ins[found[0]], text)

    def _encode(self, texts: Sequence[str], *, split_special_tokens: bool = False) -> list[list[int]]:
        if not texts:
            return []
        if not self.tokenizer.is_fast:
            ids: list[list[int]] = self.tokenizer(
                list(texts),
                add_special_tokens=False,
                split_special_tokens=split_special_tokens,
                return_attention_mask=False,
                verbose=False,
            )["input_ids"]
            return ids
        # Straight to the Rust tokenizer: transformers' own wrapping of it costs a third of the time.
        with self._rust(split_special_tokens) as rust:
            return [encoded.ids for encoded in rust.encode_batch_fast(texts, add_special_tokens=False)]

    def _encode_placed(self, texts: Sequence[str], *, split_special_tokens: bool = False) -> list[Placed]:
        """Return tokens with places; all are 0 where there is no Rust tokenizer to tell them."""
        if not self.tokenizer.is_fast:
            encoded = self._encode(texts, split_special_tokens=split_special_tokens)
            return [Placed(ids, [(0, 0)] * len(ids)) for ids in encoded]
        with self._rust(split_special_tokens) as rust:
            return [Placed(e.ids, e.offsets) for e in rust.encode_batch(texts, add_special_tokens=False)]

    @contextmanager
    def _rust(self, split_special_tokens: bool) -> Iterator[Any]:  # Any: the Rust tokenizer has no types
        rust = self.tokenizer.backend_tokenizer
        before, rust.encode_special_tokens = rust.encode_special_tokens, split_special_tokens
        try:
            yield rust
        finally:
            rust.encode_special_tokens = before


def _stand_in(number: int, token: str) -> str:
    return chr(STAND_IN + number) * len(token)


def _any_of(texts: Iterable[str]) -> "re.Pattern[str]":
    """Return what finds any of the texts, the longest first, and nothing where there are none."""
    found = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(f"({found})" if found else "((?!))")
