"""problems: questions with what is right; read, and never written.

{"question": "Natalia sold clips …", "answer": "… #### 72"}
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from cotdistill.formats import Holds, JsonRow
from cotdistill.formats._gold import GoldRule
from cotdistill.formats._recorded import RowKeys, problem_of
from cotdistill.records import Problem
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Problems:
    """Questions with their gold answers, as in GSM8K.

    Options:
        question: Key of the question; default: question, problem or Question, whichever is there.
        answer: Key of the worked answer; default: answer.
        reasoning: Key of a rationale: with one, `answer` is what somebody said and not what is right.
        messages: Key of a list of turns whose last question is the problem, where no key holds a question.
        gold: Key of what is right; default: gold, else the answer.
        gold_rule: How it is found there: `gsm8k`, what follows the last ####.
        gold_pattern: The same by a regular expression with one group; its last match counts.
        id: Key of the problem's id; default: id, else a hash of the question.
        role_tag: Key of a turn's role.
        content_tag: Key of a turn's text.
    """

    question: str | None = None
    answer: str | None = None
    reasoning: str | None = None
    messages: str | None = None
    gold: str | None = None
    gold_rule: Literal["gsm8k"] | None = None
    gold_pattern: str | None = None
    id: str | None = None
    role_tag: str | None = None
    content_tag: str | None = None

    holds: ClassVar[Holds] = "problems"

    def check(self) -> None:
        """Return: every key has usual names."""

    def read(self, row: JsonRow, row_id: str, /) -> list[Problem]:  # noqa: ARG002
        """Return the one problem of a row.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        return [problem_of(row, self._keys)]

    @property
    def _keys(self) -> RowKeys:
        return RowKeys(
            question=self.question,
            reasoning=self.reasoning,
            answer=self.answer,
            messages=self.messages,
            role_tag=self.role_tag,
            content_tag=self.content_tag,
            id=self.id,
            gold_rule=GoldRule(self.gold, self.gold_rule, self.gold_pattern),
            is_answered=False,
        )
