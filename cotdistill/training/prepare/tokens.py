"""Conversations -> rows of token ids, before any training process starts.

Prompt and answer are encoded apart: the tokens of a prompt need not be the first tokens of prompt + answer.
The supervised part is the answer and the token that ends it, told by length and never by the padding's id.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.errors import UserError
from cotdistill.records import Conversation, Message, Rejected
from cotdistill.styles import Style
from cotdistill.training.prepare.shortening import shortened
from cotdistill.training.prepare.templates import text_around, use_template
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH_ROWS = 256
"""Conversations given to the Rust tokenizer at a time: it spreads a batch over the cores."""


OPENINGS_KEPT = 256
"""Openings of prompts whose tokens are remembered: sets have one system prompt, or one for each row."""

SHORTENING_TRIES = 4

WORDS_TRIED = 64
"""Words of a vocabulary that are encoded to see whether there is one."""


class PromptText(NamedTuple):
    """A prompt in two texts that have the tokens of the one."""

    opening: str
    rest: str


def load_tokenizer(base: str, *, template: str | None, trust_remote_code: bool = False) -> "PreTrainedTokenizerBase":
    """Return the student's tokenizer with the template that it is taught with.

    Raises: UserError.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base, trust_remote_code=trust_remote_code)
    except (OSError, ValueError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise UserError(f"the tokenizer of {base} cannot be loaded: {first_line}") from None
    if not _knows_words(tokenizer):
        hint = "its tokenizer.json, or the files of its vocabulary, are missing"
        raise UserError(f"the tokenizer of {base} has no vocabulary: no text has a token that it knows", hint=hint)
    use_template(tokenizer, template)
    return tokenizer


def _knows_words(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Return whether words of its own vocabulary come to tokens: transformers makes tokenizers without any too."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    words = (i for text, i in tokenizer.get_vocab().items() if text not in added and any(map(str.isalnum, text)))
    text = tokenizer.decode(list(islice(words, WORDS_TRIED)))
    return not set(tokenizer(text, add_special_tokens=False)["input_ids"]) <= {tokenizer.unk_token_id}


class Encoder:
    """A tokenizer, asked for token rows."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        self.control = tokenizer.all_special_tokens
        self.control_ids = frozenset(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        self._known_around: dict[tuple[str, ...], list[str]] = {}
        self._known_openings: dict[str, list[int] | None] = {}

    @cached_property
    def end_id(self) -> int:
        """Id of the token that ends an answer: the template's, else the tokenizer's end of sequence.

        Raises: UserError where there is neither.
        """
        *_, after_answer = text_around(self.tokenizer, ("user", "assistant"), is_prompt=False)
        (after,) = self._encode([after_answer])
        found = next((token for token in after if token in self.control_ids), self.tokenizer.eos_token_id)
        if found is None:
            raise UserError("the student's tokenizer has no token that ends an answer", hint="give it an eos_token")
        return int(found)

    @property
    def stop_ids(self) -> list[int]:
        """Ids at which the student stops: the end of an answer first, then the tokenizer's end of sequence."""
        eos = self.tokenizer.eos_token_id
        return [self.end_id] if eos is None or eos == self.end_id else [self.end_id, int(eos)]

    @property
    def pad_id(self) -> int:
        """Id to fill batches with; it is never looked at, so any will do where there is none."""
        pad = self.tokenizer.pad_token_id
        return self.end_id if pad is None else int(pad)

    def encode(self, conversations: Sequence[Conversation]) -> Iterator[TokenRow]:
        """Yield a row per conversation, in order, of any length."""
        texts = [self._prompt_text(conversation) for conversation in conversations]
        whole = iter(self._encode_prompts([text for text in texts if text is not None]))
        answers = self._encode_contents([c.messages[-1].content for c in conversations])
        for conversation, text, answer in zip(conversations, texts, answers, strict=True):
            prompt = self._guarded(conversation.prompt) if text is None else next(whole)
            learned = [*answer, self.end_id]
            parts = bytes([GIVEN]) * len(prompt) + bytes([ANSWER]) * len(learned)
            yield TokenRow(prompt + learned, parts, conversation.id)

    def counts(self, contents: list[str]) -> list[int]:
        """Return how many tokens each text has inside an answer."""
        return [len(ids) for ids in self._encode_contents(contents)]

    def _prompt_text(self, conversation: Conversation) -> PromptText | None:
        """Return the prompt as the one text that inference encodes; None where a content names a control token."""
        prompt = conversation.prompt
        if any(token in message.content for message in prompt for token in self.control):
            return None
        first, *others = self._around(prompt)
        pieces = [first, *(m.content + after for m, after in zip(prompt, others, strict=True))]
        opening = pieces[0] if prompt[0].role != "system" else pieces[0] + pieces[1]
        text = "".join(pieces)
        cut = max((opening.rfind(token) + len(token) for token in self._walls if token in opening), default=0)
        return PromptText(text[:cut], text[cut:])

    def _encode_prompts(self, texts: Sequence[PromptText]) -> list[list[int]]:
        """Return the tokens of prompts; an opening that they share, as a system prompt is, is encoded once."""
        for opening, rest in texts:
            if opening not in self._known_openings:
                if len(self._known_openings) == OPENINGS_KEPT:
                    self._known_openings.clear()
                whole, alone, after = self._encode([opening + rest, opening, rest])
                self._known_openings[opening] = alone if whole == alone + after else None
        known = [self._known_openings.get(opening) for opening, _ in texts]
        pairs = zip(texts, known, strict=True)
        encoded = self._encode([rest if ids is not None else opening + rest for (opening, rest), ids in pairs])
        return [ids if before is None else before + ids for before, ids in zip(known, encoded, strict=True)]

    @cached_property
    def _walls(self) -> tuple[str, ...]:
        """Control tokens that text on their two sides cannot see across."""
        added = self.tokenizer.added_tokens_decoder.values()
        return tuple(t.content for t in added if t.special and not (t.lstrip or t.rstrip or t.single_word))

    def _guarded(self, prompt: Sequence[Message]) -> list[int]:
        """Return the prompt's tokens, with what looks like a control token in its contents spelled out as text."""
        contents = self._encode_contents([message.content for message in prompt])
        first, *others = self._encode(self._around(prompt))
        return [*first, *(token for pair in zip(contents, others, strict=True) for ids in pair for token in ids)]

    def _around(self, prompt: Sequence[Message]) -> list[str]:
        """Return the template's texts around the prompt's contents; they depend on the roles alone."""
        roles = tuple(message.role for message in prompt)
        if roles not in self._known_around:
            self._known_around[roles] = text_around(self.tokenizer, roles, is_prompt=True)
        return self._known_around[roles]

    def _encode(self, texts: list[str], *, split_special_tokens: bool = False) -> list[list[int]]:
        if not texts:
            return []
        if not self.tokenizer.is_fast:
            ids: list[list[int]] = self.tokenizer(
                texts,
                add_special_tokens=False,
                split_special_tokens=split_special_tokens,
                return_attention_mask=False,
                verbose=False,
            )["input_ids"]
            return ids
        # Straight to the Rust tokenizer: transformers' own wrapping of it costs a third of the time.
        rust = self.tokenizer.backend_tokenizer
        before, rust.encode_special_tokens = rust.encode_special_tokens, split_special_tokens
        try:
            return [encoded.ids for encoded in rust.encode_batch_fast(texts, add_special_tokens=False)]
        finally:
            rust.encode_special_tokens = before

    def _encode_contents(self, texts: list[str]) -> list[list[int]]:
        """Return tokens of plain words; a word-level vocabulary cannot spell a control token out, so there it goes."""
        encoded = self._encode(texts, split_special_tokens=True)
        return [
            ids if self.control_ids.isdisjoint(ids) else [token for token in ids if token not in self.control_ids]
            for ids in encoded
        ]


class Encoded(NamedTuple):
    """What became of one conversation."""

    row: TokenRow | None
    """None where it is left out."""
    length: int
    """Tokens of the whole conversation, before anything was shortened."""
    note: Rejected | None = None
    """The conversation as it was, where it is left out or shortened, and why."""


def tokenize(
    conversations: Iterable[Conversation],
    tokenizer: "PreTrainedTokenizerBase",
    *,
    cutoff_len: int,
    shorten_in: Style | None = None,
) -> Iterator[Encoded]:
    """Yield what becomes of each conversation, in order.

    One longer than `cutoff_len` tokens is left out whole, or shortened in its rationale where `shorten_in` gives the
    style that tells rationale from answer.
    """
    encoder = Encoder(tokenizer)
    waiting = iter(conversations)
    while batch := list(islice(waiting, BATCH_ROWS)):
        for conversation, row in zip(batch, encoder.encode(batch), strict=True):
            length = len(row.input_ids)
            if length <= cutoff_len:
                yield Encoded(row, length)
            elif shorten_in and (shorter := _shortened(conversation, length, encoder, cutoff_len, shorten_in)):
                reason = f"{length} tokens -> {len(shorter.input_ids)}"
                yield Encoded(shorter, length, Rejected(kind="shortened", reason=reason, row=conversation))
            else:
                reason = f"{length} tokens > cutoff_len {cutoff_len}"
                yield Encoded(None, length, Rejected(kind="overlong", reason=reason, row=conversation))


def _shortened(
    conversation: Conversation, length: int, encoder: Encoder, cutoff_len: int, style: Style
) -> TokenRow | None:
    """Return a row of at most `cutoff_len` tokens whose rationale alone is shorter; None where that cannot be."""
    answer = conversation.messages[-1]
    output = style.split(answer.content)
    if not output.text:
        return None
    surplus = length - cutoff_len
    for _ in range(SHORTENING_TRIES):
        shorter = shortened(answer.content, output.reasoning, surplus, encoder.counts)
        if shorter is None:
            return None
        messages = (*conversation.prompt, answer.model_copy(update={"content": shorter}))
        (row,) = encoder.encode([conversation.model_copy(update={"messages": messages})])
        if len(row.input_ids) <= cutoff_len:
            return row
        # The parts that were counted apart have a few tokens more together.
        surplus += len(row.input_ids) - cutoff_len
    return None
