"""therefore: the two prompts of zero-shot chain of thought, as one question and one answer.

Q: {question}

A: Let's think step by step. {reasoning}

Therefore, the answer is {final answer}
"""

from dataclasses import dataclass

from cotdistill.records import Problem, Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import TextPrompt
from cotdistill.styles._rationale import final_answer, rationale
from cotdistill.think_tags import Split

THEREFORE = "Therefore, the answer is"


@kind
@dataclass(frozen=True, kw_only=True)
class Therefore(TextPrompt):
    """The rationale, then "Therefore, the answer is" (Kojima et al. 2022, sec. 3; Ho et al. 2023, appendix).

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none.
    """

    def asked(self, problem: Problem, /) -> str:
        """Return the question and the words that ask for steps."""
        return f"Q: {problem.question.strip()}\n\nA: Let's think step by step."

    @property
    def closing(self) -> str:
        """The phrase."""
        return f"\n\n{THEREFORE}"

    def answer(self, trace: Trace, /) -> str:
        """Return the rationale and the final answer behind its phrase."""
        final = final_answer(trace)
        return f" {rationale(trace)}\n\n{THEREFORE} {final.strip()}" if final else ""

    def split(self, output: str, /) -> Split:
        """Take what follows the last phrase as the answer; without the phrase there is none."""
        reasoning, phrase, text = output.rpartition(THEREFORE)
        if not phrase:
            return Split(output.strip(), "", thought="unclosed")
        return Split(reasoning.strip(), text.strip(), thought="closed")
