"""answer_only: the control that every comparison needs, a student that never sees a rationale."""

from dataclasses import dataclass

from cotdistill.records import Completion, Message, Problem
from cotdistill.registry import kind
from cotdistill.styles import Split
from cotdistill.styles._prompt import ask


@kind
@dataclass(frozen=True, kw_only=True)
class AnswerOnly:
    """The answer without its rationale (Ho et al. 2023, table 1: vanilla fine-tuning).

    Options:
        system: System prompt of every conversation; default: none.
    """

    system: str | None = None

    def prompt(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return the question, under the system prompt if there is one."""
        return ask(problem, system=self.system)

    def answer(self, completion: Completion, /) -> str:
        """Return what follows the thinking."""
        return completion.text.strip()

    def split(self, output: str, /) -> Split:
        """Return all of it as the answer."""
        return Split("", output.strip())
