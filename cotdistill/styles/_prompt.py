"""What styles share: how they ask, under a system prompt if there is one, after worked examples if there are any."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from cotdistill import prompts
from cotdistill.records import Message, Problem, Trace
from cotdistill.registry import NamesFile

TEXT_FILES = (".txt", ".md")
"""A system prompt of one line with such an end is taken for the name of the file that holds it."""


def _is_file_name(text: str) -> bool:
    return text.endswith(TEXT_FILES) and "\n" not in text


System = Annotated[str | None, NamesFile(_is_file_name)]


@dataclass(frozen=True, kw_only=True)
class ChatPrompt(ABC):
    """A style that asks the question as it stands, each worked example as an earlier turn."""

    system: System = None

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
        """Return the question as the user's turn, after system prompt, worked examples and its own earlier turns."""
        turns: list[Message] = []
        for shot in shots:
            turns += prompts.opening(None, shot.problem.context).turns
            turns.append(Message(role="user", content=self.asked(shot.problem)))
            turns.append(Message(role="assistant", content=self.answer(shot)))
        system, earlier = prompts.opening(self._system_text, problem.context)
        return (*system, *turns, *earlier, Message(role="user", content=self.asked(problem)))

    def check(self) -> None:
        """Return if the system prompt can be read.

        Raises: UserError.
        """
        _ = self._system_text

    @property
    def _system_text(self) -> str:
        """The words of the system prompt; empty: none."""
        return self._named_text

    @functools.cached_property
    def _named_text(self) -> str:
        text = self.system or ""
        return prompts.load(Path(text), required=()) if _is_file_name(text) else text


@dataclass(frozen=True, kw_only=True)
class TextPrompt(ChatPrompt):
    """A style for models that go on with a text: worked examples and question stand in one user's turn."""

    between: ClassVar[str] = ""
    """What stands between a question and its answer in an example."""

    def prompt(self, problem: Problem, shots: Sequence[Trace] = (), /) -> tuple[Message, ...]:
        """Return the examples, the earlier turns of the question and the question, a blank line between them."""
        examples = [f"{self.asked(shot.problem)}{self.between}{self.answer(shot)}" for shot in shots]
        system, earlier = prompts.opening(self._system_text, problem.context)
        text = "\n\n".join([*examples, *(turn.content for turn in earlier), self.asked(problem)])
        return (*system, Message(role="user", content=text))
