"""solve: a T5 task prefix before the question; the worked answer is the target.

solve: {question}   ->   {reasoning}

                         {answer}
"""

from dataclasses import dataclass
from typing import ClassVar

from cotdistill.records import Problem
from cotdistill.registry import kind
from cotdistill.styles._prompt import TextPrompt
from cotdistill.styles.plain import Plain


@kind
@dataclass(frozen=True, kw_only=True)
class Solve(Plain, TextPrompt):
    """Behind the prefix `solve: `, the rationale, a blank line, then the answer (T5, Raffel et al. 2020, sec. 2.4).

    Options:
        system: System prompt of every conversation, a text or the file that holds it; default: none.
    """

    between: ClassVar[str] = "\n\n"

    def asked(self, problem: Problem, /) -> str:
        """Return the question behind the prefix."""
        return f"solve: {problem.question}"
