"""answer_only: the control that every comparison needs, a student that never sees a rationale."""

from dataclasses import dataclass

from cotdistill.records import Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import ChatPrompt
from cotdistill.styles._rationale import final_answer
from cotdistill.think_tags import Split


@kind
@dataclass(frozen=True, kw_only=True)
class AnswerOnly(ChatPrompt):
    """The answer without its rationale (Ho et al. 2023, table 1: vanilla fine-tuning).

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none.
    """

    def answer(self, trace: Trace, /) -> str:
        """Return what follows the thinking; of a teacher that does not think apart the final answer alone, if known."""
        said = trace.completion.text.strip()
        thinks_apart = bool(trace.completion.reasoning.strip())
        return said if thinks_apart or not said else final_answer(trace) or said

    def split(self, output: str, /) -> Split:
        """Return all of it as the answer."""
        return Split("", output.strip())
