"""plain: the rationale as ordinary text, then the answer."""

from dataclasses import dataclass

from cotdistill.records import Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import ChatPrompt
from cotdistill.think_tags import Split


@kind
@dataclass(frozen=True, kw_only=True)
class Plain(ChatPrompt):
    """The rationale as ordinary text, a blank line, then the answer.

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none.
    """

    def answer(self, trace: Trace, /) -> str:
        """Return rationale and answer as one text."""
        return "\n\n".join(part for part in (trace.completion.reasoning.strip(), trace.completion.text.strip()) if part)

    def split(self, output: str, /) -> Split:
        """Take the last paragraph as the answer: nothing marks where the rationale ends."""
        reasoning, _, text = output.strip().rpartition("\n\n")
        return Split(reasoning, text)
