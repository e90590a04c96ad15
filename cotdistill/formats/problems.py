"""problems: questions with what is right; read, and never written.

{"question": "Natalia sold clips …", "answer": "… #### 72"}
"""

from dataclasses import dataclass
from typing import ClassVar

from cotdistill.formats import Holds, JsonRow
from cotdistill.formats._recorded import RowKeys, problem_of
from cotdistill.records import Problem
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Problems(RowKeys):
    """Questions with their gold answers, as in GSM8K.

    Options:
        question: Key of the question, the keys of its parts, or a text with them in braces, `{passage} {question}`;
            default: question, problem or Question, whichever is there.
        answer: Key of the worked answer; default: answer.
        reasoning: Key of a rationale: with one, `answer` is what somebody said and not what is right.
        messages: Key of a list of turns whose last question is the problem, where no key holds a question.
        gold: Key of what is right; default: gold, else the answer.
        gold_rule: How it is found there: `gsm8k`, what follows the last ####; `yes_no`, true is yes and false is no.
        gold_pattern: The same by a regular expression with one group; its last match counts.
        id: Key of the problem's id; default: id, else a hash of the question.
        choices: Key of the list of options of a multiple-choice question, or the keys of all options; what is right
            is then a letter, a number from 0, or an option's text.
        group: Key of what results are told apart by: a subject, a language.
        system: Key of a system prompt, which stays in the prompt; default: system or system_prompt.
        role_tag: Key of a turn's role.
        content_tag: Key of a turn's text.
    """

    holds: ClassVar[Holds] = "problems"

    def read(self, row: JsonRow, row_id: str, /) -> list[Problem]:  # noqa: ARG002
        """Return the one problem of a row.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        return [problem_of(row, self)]

    def outline(self, row: JsonRow, row_id: str, /) -> tuple[Problem, tuple[int, ...]]:  # noqa: ARG002
        """Return the one problem of a row, which has no answers.

        Raises: ValueError, as `read` does.
        """
        return problem_of(row, self), ()
