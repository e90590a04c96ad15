r"""thought_solution: rationale and answer between Sky-T1's tags, under its long system prompt.

    <|begin_of_thought|>

    {reasoning}<|end_of_thought|>

    <|begin_of_solution|>

    {answer}<|end_of_solution|>

The system prompt is the one published with Sky-T1 (NovaSky, January 2025, Apache-2.0), letter for letter, its
spelling included: students and data sets made elsewhere carry exactly this text. Where it speaks of the break between
two steps, Sky-T1's data has a backslash and an n; scripts that hold the prompt in a string write two line ends there.
"""

from dataclasses import dataclass
from typing import Literal

from cotdistill.errors import UserError
from cotdistill.records import Trace
from cotdistill.registry import kind
from cotdistill.styles._prompt import ChatPrompt, System
from cotdistill.think_tags import SOLUTION, THOUGHT, Split

SYSTEM = (
    "Your role as an assistant involves thoroughly exploring questions through a systematic long thinking process "
    "before providing the final precise and accurate solutions. This requires engaging in a comprehensive cycle of "
    "analysis, summarizing, exploration, reassessment, reflection, backtracing, and iteration to develop "
    "well-considered thinking process. Please structure your response into two main sections: Thought and Solution. "
    "In the Thought section, detail your reasoning process using the specified format: <|begin_of_thought|> {thought "
    r"with steps separated with '\n\n'} <|end_of_thought|> Each step should include detailed considerations such as "
    "analisying questions, summarizing relevant findings, brainstorming new ideas, verifying the accuracy of the "
    "current steps, refining any errors, and revisiting previous steps. In the Solution section, based on various "
    "attempts, explorations, and reflections from the Thought section, systematically present the final solution that "
    "you deem correct. The solution should remain a logical, accurate, concise expression style and detail necessary "
    "step needed to reach the conclusion, formatted as follows: <|begin_of_solution|> {final formatted, precise, and "
    "clear solution} <|end_of_solution|> Now, try to solve the following question through the above guidelines:"
)


@kind
@dataclass(frozen=True, kw_only=True)
class ThoughtSolution(ChatPrompt):
    """Rationale and answer between Sky-T1's tags, as openMind's recipes train them.

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: the one that
            Sky-T1 was trained with.
        newlines: What that prompt says between `'` and `'`: `escaped`, a backslash and an n, as in Sky-T1's data, or
            `real`, line ends, as in openMind's article on distilling DeepSeek-R1.
    """

    system: System = SYSTEM
    newlines: Literal["escaped", "real"] = "escaped"

    @property
    def closing(self) -> str:
        """The thought's closing tag and the solution's opening one."""
        return f"{THOUGHT[1]}\n\n{SOLUTION[0]}\n\n"

    def check(self) -> None:
        """Return if the system prompt can be read, and `newlines` has one to change.

        Raises: UserError.
        """
        if self.newlines == "real" and self.system != SYSTEM:
            hint = "leave `newlines` out: a system prompt of your own is taken as it is written"
            raise UserError(
                "`newlines: real` changes Sky-T1's system prompt, and `system` names another one", hint=hint
            )
        super().check()

    def answer(self, trace: Trace, /) -> str:
        """Return rationale and answer between their tags; where there is no rationale, the answer alone."""
        reasoning, solution = trace.completion.reasoning, f"{SOLUTION[0]}\n\n{trace.completion.text}{SOLUTION[1]}"
        return f"{THOUGHT[0]}\n\n{reasoning}{THOUGHT[1]}\n\n{solution}" if reasoning.strip() else solution

    @property
    def _system_text(self) -> str:
        return SYSTEM.replace(r"\n", "\n") if self.newlines == "real" else super()._system_text

    def split(self, output: str, /) -> Split:
        """Take what the solution tags hold as the answer; a thought without its end is no answer."""
        thought, ended, rest = output.partition(THOUGHT[1])
        if not ended and THOUGHT[0] in output:
            return Split(output.partition(THOUGHT[0])[2].strip("\n"), "", thought="unclosed")
        if not ended:
            thought, rest = "", output
        _, opened, inner = thought.partition(THOUGHT[0])
        reasoning = inner if opened else thought
        _, is_solved, solution = rest.partition(SOLUTION[0])
        text = (solution if is_solved else rest).partition(SOLUTION[1])[0]
        return Split(reasoning.strip("\n"), text.strip("\n"), thought="closed" if ended else "none")
