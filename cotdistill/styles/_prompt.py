"""What most styles share: they ask the bare question, under a system prompt if there is one."""

from dataclasses import dataclass

from cotdistill.records import Message, Problem


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A style that asks the question as it stands; it still has to say how it answers."""

    system: str | None = None

    def prompt(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return the question as the user's turn, after the system prompt where one is given."""
        question = Message(role="user", content=problem.question)
        return (Message(role="system", content=self.system), question) if self.system else (question,)
