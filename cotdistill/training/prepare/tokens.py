"""Conversations -> rows of token ids, before any training process starts.

Prompt and answer are encoded apart: the tokens of a prompt need not be the first tokens of prompt + answer.
The supervised part is the answer and the token that ends it, told by length and never by the padding's id.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cotdistill.errors import UserError
from cotdistill.records import Conversation, Message, Rejected
from cotdistill.storage.origin import Origin
from cotdistill.styles import Style
from cotdistill.training.prepare.reading import Reader, Reading, Turn
from cotdistill.training.prepare.shortening import rationale_end, shortened
from cotdistill.training.prepare.spelling import Placed, Speller
from cotdistill.training.prepare.templates import text_after_answer, use_template
from cotdistill.training.prepare.token_row import ANSWER, GIVEN, RATIONALE, TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH_ROWS = 256
"""Conversations given to the Rust tokenizer at a time: it spreads a batch over the cores."""


OPENINGS_KEPT = 256
"""Openings of prompts whose tokens are remembered: sets have one system prompt, or one for each row."""

SHORTENING_TRIES = 4

WORDS_TRIED = 64
"""Words of a vocabulary that are encoded to see whether there is one."""


def load_tokenizer(base: str, *, template: str | None, origin: Origin = Origin()) -> "PreTrainedTokenizerBase":
    """Return the student's tokenizer with the template that it is taught with.

    Raises: UserError.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base, **origin.arguments)
    except (OSError, ValueError) as error:
        if base.startswith(("/", ".", "~")) and not Path(base).exists():
            raise UserError(f"no such folder: {base}", hint="name one with tokenizer.json, or a hub's name") from None
        first_line = str(error).strip().partition("\n")[0]
        raise UserError(f"the tokenizer of {base} cannot be loaded: {first_line}") from None
    if not _knows_words(tokenizer):
        hint = "its tokenizer.json, or the files of its vocabulary, are missing"
        raise UserError(f"the tokenizer of {base} has no vocabulary: no text has a token that it knows", hint=hint)
    if _reads_a_chat(base, origin.revision):
        use_template(tokenizer, template)
    elif template is None:
        tokenizer.chat_template = None
    else:
        raise UserError(f"{base} is an encoder-decoder, which has no template", "train.template", "leave it out")
    return tokenizer


def _reads_a_chat(base: str, revision: str | None) -> bool:
    """Return whether a model goes on with a chat, as all do but encoder-decoders; a tokenizer alone says nothing."""
    from transformers import PretrainedConfig

    try:
        config, _ = PretrainedConfig.get_config_dict(base, revision=revision)
    except OSError:
        return True
    return config.get("is_encoder_decoder") is not True


def _knows_words(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Return whether words of its own vocabulary come to tokens: transformers makes tokenizers without any too."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    words = (i for text, i in tokenizer.get_vocab().items() if text not in added and any(map(str.isalnum, text)))
    text = tokenizer.decode(list(islice(words, WORDS_TRIED)))
    return not set(tokenizer(text, add_special_tokens=False)["input_ids"]) <= {tokenizer.unk_token_id}


class Encoder:
    """A tokenizer, asked for token rows.

    Every answer is learned that inference would show as it was given, or with `masks_history` the last one alone.
    With `gives_empty_thoughts` a last answer without a thought stands behind an empty one, which is not learned.
    `style` tells rationale from answer; without one all that is learned is an answer.
    Raises: UserError where these cannot be told in the tokenizer's tokens.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        *,
        masks_history: bool = False,
        gives_empty_thoughts: bool = False,
        style: Style | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.style = style
        self._speller = Speller(tokenizer)
        self._reader = Reader(self._speller, masks_history=masks_history, gives_empty_thoughts=gives_empty_thoughts)
        self._known_openings: dict[str, list[int] | None] = {}
        if style is not None:
            self._require_places("leave out `loss_weights`")

    @property
    def control(self) -> list[str]:
        """Texts of the tokens that a template alone may write."""
        return self._speller.control

    @cached_property
    def end_id(self) -> int:
        """Id of the token that ends an answer: the template's, else the tokenizer's end of sequence.

        Raises: UserError where there is neither.
        """
        (after,) = self._speller.texts([text_after_answer(self.tokenizer)])
        found = next((token for token in after if token in self._speller.control_ids), self.tokenizer.eos_token_id)
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
        """Yield a row per conversation, in order, of any length. Raises: UserError: the template refuses one."""
        readings = [self._reader.read(conversation.messages) for conversation in conversations]
        prompts = self._encode_prompts(conversations, readings)
        answers = self._encode_answers(
            [conversation.messages[-1].content for conversation in conversations],
            [reading.written for reading in readings],
        )
        for conversation, (prompt, given), (answer, learned) in zip(conversations, prompts, answers, strict=True):
            yield TokenRow([*prompt, *answer, self.end_id], given + learned + bytes([ANSWER]), conversation.id)

    def counts(self, contents: list[str]) -> list[int]:
        """Return how many tokens each text has inside an answer."""
        return [len(ids) for ids in self._speller.contents(contents)]

    def _encode_answers(self, answers: Sequence[str], written: Sequence[int]) -> Iterator[tuple[list[int], bytes]]:
        """Yield the answers' tokens without their end, and what each of them is.

        `written` says how many characters at the front of each the prompt holds already.
        """
        texts = [answer[count:] for answer, count in zip(answers, written, strict=True)]
        if self.style is None:
            yield from ((ids, bytes([ANSWER]) * len(ids)) for ids in self._speller.contents(texts))
            return
        for answer, start, tokens in zip(answers, written, self._speller.placed_contents(texts), strict=True):
            count = tokens.before(rationale_end(answer, self.style) - start)
            yield tokens.ids, bytes([RATIONALE]) * count + bytes([ANSWER]) * (len(tokens.ids) - count)

    def _encode_prompts(
        self, conversations: Sequence[Conversation], readings: Sequence[Reading]
    ) -> Iterator[tuple[list[int], bytes]]:
        """Yield the prompts' tokens, and what each of them is: earlier answers are learned too."""
        is_plain = [not (reading.turns or reading.has_stand_ins) for reading in readings]
        plain = iter(self._encode_plain([r for r, alone in zip(readings, is_plain, strict=True) if alone]))
        others = [r.prompt for r, alone in zip(readings, is_plain, strict=True) if not alone]
        placed = iter(self._speller.placed_texts(others))
        for conversation, reading, alone in zip(conversations, readings, is_plain, strict=True):
            if alone:
                ids = next(plain)
                yield ids, bytes([GIVEN]) * len(ids)
            else:
                tokens = next(placed)
                yield tokens.ids, self._parts(tokens, reading.turns, conversation.messages)

    def _parts(self, tokens: Placed, turns: Sequence[Turn], messages: Sequence[Message]) -> bytes:
        """Return what each token of a prompt is; an answer without its own tokens or its end is given."""
        if turns:
            self._require_places("write `mask_history: true`: the last answer of a conversation is learned without")
        parts = bytearray(len(tokens.ids))
        for turn in turns:
            start, end = tokens.behind(turn.start), tokens.before(turn.end)
            if tokens.ids[end : end + 1] != [self.end_id]:
                continue
            rationale = rationale_end(messages[turn.message].content, self.style) if self.style else 0
            middle = max(start, tokens.before(turn.start + rationale - turn.written))
            parts[start:middle] = bytes([RATIONALE]) * (middle - start)
            parts[middle : end + 1] = bytes([ANSWER]) * (end + 1 - middle)
        return bytes(parts)

    def _encode_plain(self, readings: Sequence[Reading]) -> list[list[int]]:
        """Return the tokens of prompts; an opening that they share, as a system prompt is, is encoded once."""
        texts = [self._cut(reading) for reading in readings]
        for opening, rest in texts:
            if opening not in self._known_openings:
                if len(self._known_openings) == OPENINGS_KEPT:
                    self._known_openings.clear()
                whole, alone, after = self._speller.texts([opening + rest, opening, rest])
                self._known_openings[opening] = alone if whole == alone + after else None
        known = [self._known_openings.get(opening) for opening, _ in texts]
        pairs = zip(texts, known, strict=True)
        encoded = self._speller.texts([rest if ids is not None else opening + rest for (opening, rest), ids in pairs])
        return [ids if before is None else before + ids for before, ids in zip(known, encoded, strict=True)]

    def _cut(self, reading: Reading) -> tuple[str, str]:
        """Return a prompt in two texts that have the tokens of the one."""
        opening = reading.prompt[: reading.opening]
        cut = max((opening.rfind(token) + len(token) for token in self._walls if token in opening), default=0)
        return reading.prompt[:cut], reading.prompt[cut:]

    @cached_property
    def _walls(self) -> tuple[str, ...]:
        """Control tokens that text on their two sides cannot see across."""
        added = self.tokenizer.added_tokens_decoder.values()
        return tuple(t.content for t in added if t.special and not (t.lstrip or t.rstrip or t.single_word))

    def _require_places(self, hint: str) -> None:
        if not self.tokenizer.is_fast:
            raise UserError("the student's tokenizer does not tell which characters a token is made of", hint=hint)


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
    encoder: Encoder,
    *,
    cutoff_len: int,
    shorten_in: Style | None = None,
) -> Iterator[Encoded]:
    """Yield what becomes of each conversation, in order.

    One longer than `cutoff_len` tokens is left out whole, or shortened in its rationale where `shorten_in` gives the
    style that tells rationale from answer.
    """
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
