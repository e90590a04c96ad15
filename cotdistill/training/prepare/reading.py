"""How a conversation reads: the prompt as inference shows it to the student, and which stretches of it are learned.

The template is asked, never known by its name. The texts around contents that it leaves as they are depend on the
roles alone, and are asked for once. A template that trims contents, drops the thoughts of earlier turns or opens
those of the next one renders each conversation itself.
"""

import logging
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from cotdistill.errors import UserError
from cotdistill.records import Message
from cotdistill.think_tags import PAIRS
from cotdistill.training.prepare.spelling import Speller
from cotdistill.training.prepare.templates import (
    empty_thought,
    opened_pair,
    render,
    text_around,
    written_already,
)

log = logging.getLogger(__name__)


class Turn(NamedTuple):
    """Characters of a prompt that the student is to write as they stand there."""

    start: int
    end: int
    message: int
    """Number of the message that they are of."""
    written: int
    """First characters of the message that the prompt before it has written already."""


class Reading(NamedTuple):
    """One conversation's last prompt and the answer to it."""

    prompt: str
    opening: int
    """Characters at its front that other conversations may share."""
    turns: tuple[Turn, ...]
    """Earlier answers that stand in the prompt just as they were given, after just what was asked."""
    written: int = 0
    """First characters of the answer that the prompt has written already."""
    has_stand_ins: bool = False
    """Whether its contents name control tokens, in whose places stand-ins are."""


class _Layout(NamedTuple):
    around: tuple[str, ...]
    """The template's texts around the contents."""
    unchanged: tuple[int, ...]
    """Numbers of the assistant's messages that stand there after just what was asked."""


class Reader:
    """A template, asked how conversations read."""

    def __init__(self, speller: Speller, *, masks_history: bool, gives_empty_thoughts: bool = False) -> None:
        self.speller = speller
        self.gives_empty_thoughts = gives_empty_thoughts
        self.tokenizer = speller.tokenizer
        self.masks_history = masks_history
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}
        self._has_warned = False
        self._has_told_of_cuts = False

    def read(self, messages: Sequence[Message]) -> Reading:
        """Return how a conversation reads that ends with an answer. Raises: UserError: the template refuses it."""
        *given, answer = messages
        prompt = self.speller.hide(given)
        layout = self._layout(tuple(message.role for message in prompt))
        reading = self._rendered(prompt) if layout is None else _filled(prompt, layout)
        if self.gives_empty_thoughts and (given_thought := empty_thought(reading.prompt, answer.content)) is not None:
            prompted = reading.prompt + given_thought.shown
            return reading._replace(prompt=prompted, written=given_thought.written, has_stand_ins=prompt is not given)
        written = written_already(reading.prompt, answer.content)
        if not (written or self._has_warned):
            self._warn_of_thoughtless(reading.prompt, answer.content)
        return reading._replace(written=written, has_stand_ins=prompt is not given)

    def _warn_of_thoughtless(self, prompt: str, answer: str) -> None:
        """Say once that a thought is opened which the answer does not close: asked later, no answer is found in it."""
        opened = opened_pair(prompt)
        if opened is None or opened[1] in answer:
            return
        self._has_warned = True
        log.warning(
            "the chat template opens %s before each answer, and there are answers without %s: the student learns to "
            "answer inside a thought; `convert: {style: think}` writes thoughts, `template:` chooses another template",
            *opened,
        )

    def _tell_of_cuts(self, prompt: Sequence[Message], text: str) -> None:
        """Say once that the template shows earlier answers without a part, as it does at inference too."""
        earlier = [message.content.strip() for message in prompt if message.role == "assistant"]
        if self._has_told_of_cuts or all(content in text for content in earlier):
            return
        self._has_told_of_cuts = True
        log.warning(
            "the chat template leaves out parts of earlier answers, such as their thoughts: they are neither shown nor "
            "learned, and such answers are not learned at all; another `template:` may keep them"
        )

    def _layout(self, roles: tuple[str, ...]) -> _Layout | None:
        if roles not in self._layouts:
            self._layouts[roles] = self._asked_layout(roles)
        return self._layouts[roles]

    def _asked_layout(self, roles: tuple[str, ...]) -> _Layout | None:
        around = text_around(self.tokenizer, roles, is_prompt=True)
        earlier = [] if self.masks_history else _earlier(roles)
        is_opened = any(written_already("".join(around or ()), opening) for opening, _ in PAIRS)
        if around is None or (earlier and is_opened):
            return None
        unchanged = [number for number in earlier if self._around_prompt(roles[:number]) == around[: number + 1]]
        return _Layout(tuple(around), tuple(unchanged))

    def _around_prompt(self, roles: tuple[str, ...]) -> list[str] | None:
        try:
            return text_around(self.tokenizer, roles, is_prompt=True)
        except UserError:  # nobody is asked so
            return None

    def _rendered(self, prompt: Sequence[Message]) -> Reading:
        text = render(self.tokenizer, prompt, is_prompt=True)
        self._tell_of_cuts(prompt, text)
        turns = []
        for number in [] if self.masks_history else _earlier([message.role for message in prompt]):
            try:
                asked = render(self.tokenizer, prompt[:number], is_prompt=True)
            except UserError:  # nobody is asked so
                continue
            written = written_already(asked, prompt[number].content)
            if text.startswith(asked + prompt[number].content[written:]):
                end = len(asked) + len(prompt[number].content) - written
                turns.append(Turn(len(asked), end, number, written))
        return Reading(text, 0, tuple(turns))


def _filled(prompt: Sequence[Message], layout: _Layout) -> Reading:
    first, *others = layout.around
    pieces = [first, *(message.content + after for message, after in zip(prompt, others, strict=True))]
    shared = len(pieces[0]) + (len(pieces[1]) if prompt[0].role == "system" else 0)
    turns = []
    if layout.unchanged:
        starts = list(accumulate(map(len, pieces)))
        for number in layout.unchanged:
            turns.append(Turn(starts[number], starts[number] + len(prompt[number].content), number, 0))
    return Reading("".join(pieces), shared, tuple(turns))


def _earlier(roles: Sequence[str]) -> list[int]:
    """Return the numbers of the assistant's messages that answer a user."""
    return [number for number, role in enumerate(roles) if role == "assistant" and "user" in roles[:number]]
