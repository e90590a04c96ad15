"""The student's vocabulary as bytes: what each token adds to a text, and which token adds just these bytes.

Bytes and not text: a byte-level vocabulary has tokens that are a part of a character.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""A byte as a token of a SentencePiece vocabulary."""

UNREADABLE = "\ufffd".encode()
"""What servers write for a part of a character when they do not give its bytes."""


class TokenBytes:
    """The bytes of every token of a vocabulary; control tokens have none."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._bytes = dict(_vocabulary(tokenizer))

    def of(self, ids: Sequence[int]) -> list[bytes]:
        """Return the bytes of each token."""
        return [self._bytes.get(token, b"") for token in ids]

    def find(self, text: bytes) -> int | None:
        """Return the id of the token that is these bytes; None where no single one is."""
        return None if UNREADABLE in text else self._ids.get(text)

    @cached_property
    def _ids(self) -> dict[bytes, int]:
        # The first one wins: what text comes to first of all is an added token, and a bare byte last of all.
        found: dict[bytes, int] = {}
        for token, text in self._bytes.items():
            if text:
                found.setdefault(text, token)
        return found


def _vocabulary(tokenizer: "PreTrainedTokenizerBase") -> Iterator[tuple[int, bytes]]:
    """Yield every token's id and bytes: added tokens, those of the vocabulary, then single bytes that stand apart."""
    added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
    special = set(tokenizer.all_special_ids)
    yield from ((number, b"" if number in special else _utf8(text)) for number, text in added.items())
    pieces = [(number, text) for text, number in sorted(tokenizer.get_vocab().items()) if number not in added]
    if _is_byte_level(tokenizer):
        from transformers.convert_slow_tokenizer import bytes_to_unicode

        byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
        yield from ((number, bytes(byte_of[c] for c in text if c in byte_of)) for number, text in pieces)
        return
    yield from ((number, _utf8(text.replace("▁", " "))) for number, text in pieces if not FALLBACK.fullmatch(text))
    yield from ((number, bytes.fromhex(match[1])) for number, text in pieces if (match := FALLBACK.fullmatch(text)))


def _is_byte_level(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Return whether tokens are written in the 256 characters that stand for bytes, as GPT-2's are."""
    if not tokenizer.is_fast:
        return False
    decoder: Any = json.loads(tokenizer.backend_tokenizer.to_str())["decoder"]  # Any: the Rust tokenizer's JSON
    decoders = (decoder or {}).get("decoders", [decoder or {}])
    return any(part.get("type") == "ByteLevel" for part in decoders)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
