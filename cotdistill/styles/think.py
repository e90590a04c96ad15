"""think: the rationale between <think> tags, as DeepSeek-R1 and its students write it.

<think>
{reasoning}
</think>

{answer}
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cotdistill.records import Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import ChatPrompt
from cotdistill.think_tags import CLOSE, OPEN, Split


@kind
@dataclass(frozen=True, kw_only=True)
class Think(ChatPrompt):
    """The rationale between <think> tags, then the answer (DeepSeek-R1, arXiv 2501.12948).

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none, as R1's
            model card advises.
        after: White space between the closing tag and the answer; default: a blank line, as R1 writes it.
    """

    after: Annotated[str, Field(pattern=r"^\s*$")] = "\n\n"

    @property
    def closing(self) -> str:
        """The closing tag and what follows it."""
        return f"\n{CLOSE}{self.after}"

    def answer(self, trace: Trace, /) -> str:
        """Return the rationale in its tags and the answer behind them; where there is no rationale there are no tags.

        An empty block would teach not to think.
        """
        reasoning, text = trace.completion.reasoning.strip(), trace.completion.text.strip()
        return f"{OPEN}\n{reasoning}{self.closing}{text}" if reasoning else text

    def split(self, output: str, /) -> Split:
        """Take what follows the thinking as the answer; an unclosed thought is no answer."""
        thought, closed, text = output.rpartition(CLOSE)
        if not closed and OPEN in output:
            return Split(output.partition(OPEN)[2].strip(), "", thought="unclosed")
        _, opened, inner = thought.partition(OPEN)
        return Split((inner if opened else thought).strip(), text.strip(), thought="closed" if closed else "none")
