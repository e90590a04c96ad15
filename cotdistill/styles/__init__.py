"""How a rationale is written for the student: one module, one style.

A style is a frozen dataclass whose fields are its options. What it writes it can read back:
`style.split(style.answer(completion))` gives the rationale and the final answer again.
"""

from typing import NamedTuple, Protocol

from cotdistill.records import Completion, Conversation, Message, Problem, Trace


class Split(NamedTuple):
    """A student's output, taken apart."""

    reasoning: str
    text: str
    """Empty where the thinking never ended: an unfinished thought is no answer."""


class Style(Protocol):
    """A style with its options bound."""

    def prompt(self, problem: Problem, /) -> tuple[Message, ...]:
        """Return what the student is asked, in training and in evaluation alike."""
        ...

    def answer(self, completion: Completion, /) -> str:
        """Return what the student learns to say."""
        ...

    def split(self, output: str, /) -> Split:
        """Take a student's output apart."""
        ...


def conversation(style: Style, trace: Trace) -> Conversation:
    """Return the conversation that the student learns from this trace."""
    answer = Message(role="assistant", content=style.answer(trace.completion))
    return Conversation(id=trace.problem.id, messages=(*style.prompt(trace.problem), answer))
