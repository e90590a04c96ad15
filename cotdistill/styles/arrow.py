"""arrow: question, rationale and final answer in one line of marks, for students that go on with a text.

{question} ### {reasoning} --> {final answer} END
"""

from dataclasses import dataclass

from cotdistill.records import Problem, Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import TextPrompt
from cotdistill.styles._rationale import final_answer, rationale
from cotdistill.think_tags import Split

ASK, ARROW, END = " ###", "-->", "END"


@kind
@dataclass(frozen=True, kw_only=True)
class Arrow(TextPrompt):
    """The rationale, an arrow, the final answer alone (Fine-tune-CoT, Ho et al. 2023, sec. 3 and appendix).

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none.
    """

    def asked(self, problem: Problem, /) -> str:
        """Return the question and the mark behind it."""
        return problem.question.strip() + ASK

    @property
    def closing(self) -> str:
        """The arrow."""
        return f" {ARROW}"

    def answer(self, trace: Trace, /) -> str:
        """Return the rationale and the final answer behind the arrow."""
        final = final_answer(trace)
        return f" {rationale(trace)} {ARROW} {final.strip()} {END}" if final else ""

    def split(self, output: str, /) -> Split:
        """Take what follows the last arrow as the answer; without an arrow there is none."""
        reasoning, arrow, text = output.rpartition(ARROW)
        if not arrow:
            return Split(output.strip(), "", thought="unclosed")
        text = text.strip()
        final = text.removesuffix(END).strip() if text.split()[-1:] == [END] else text
        return Split(reasoning.strip(), final, thought="closed")
