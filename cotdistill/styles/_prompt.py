"""What styles share: how they ask, under a system prompt if there is one, after worked examples if there are any."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cotdistill import prompts
from cotdistill.records import Message, Problem, Trace

TEXT_FILES = (".txt", ".md")
"""A system prompt of one line with such an end is taken for the name of the file that holds it."""


@dataclass(frozen=True, kw_only=True)
class ChatPrompt(ABC):
    """A style that asks the question as it stands, each worked example as an earlier turn."""

    system: str | None = None

    @property
    def closing(self) -> str | None:
        """Nothing marks where a thought ends."""
        return None

    @abstractmethod
    def answer(self, trace: Trace, /) -> str:
        """Return what the student learns to say."""

    def asked(self, problem: Problem, /) -> str:
        """Return the user's words for one problem."""
        return problem.question

    def prompt(self, problem: Problem, shots: Sequence[Trace] = (), /) -> tuple[Message, ...]:
        """Return the question as the user's turn, after system prompt and worked examples where there are any."""
        turns = []
        for shot in shots:
            turns.append(Message(role="user", content=self.asked(shot.problem)))
            turns.append(Message(role="assistant", content=self.answer(shot)))
        return (*self._opening(), *turns, Message(role="user", content=self.asked(problem)))

    def check(self) -> None:
        """Return if the system prompt can be read.

        Raises: UserError.
        """
        self._opening()

    def _opening(self) -> tuple[Message, ...]:
        text = self._system_text
        return (Message(role="system", content=text),) if text else ()

    @functools.cached_property
    def _system_text(self) -> str:
        text = self.system or ""
        is_file = text.endswith(TEXT_FILES) and "\n" not in text
        return prompts.load(Path(text), required=()) if is_file else text


@dataclass(frozen=True, kw_only=True)
class TextPrompt(ChatPrompt):
    """A style for models that go on with a text: worked examples and question stand in one user's turn."""

    between: ClassVar[str] = ""
    """What stands between a question and its answer in an example."""

    def prompt(self, problem: Problem, shots: Sequence[Trace] = (), /) -> tuple[Message, ...]:
        """Return the examples, a blank line after each, and the question."""
        examples = [f"{self.asked(shot.problem)}{self.between}{self.answer(shot)}" for shot in shots]
        text = "\n\n".join([*examples, self.asked(problem)])
        return (*self._opening(), Message(role="user", content=text))
