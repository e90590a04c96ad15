"""traces: recorded answers with their reasoning; read, and never written.

{"question": "Natalia sold clips …", "reasoning": "Okay, so …", "answer": "… **72**", "gold": "72"}
"""

from dataclasses import dataclass
from typing import ClassVar

from cotdistill.formats import Holds, JsonRow
from cotdistill.formats._recorded import AnswerKeys, outline_of, traces_of
from cotdistill.records import Problem, Trace
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Traces(AnswerKeys):
    """Recorded answers of a reasoning model: s1K, OpenR1, a run's own rows.jsonl and others.

    Options:
        source: Name of the set, part of the identity of its answers.
        question: Key of the question, the keys of its parts, or a text with them in braces, `{passage} {question}`;
            default: question, problem or Question, whichever is there.
        reasoning: Key of the rationale; default: reasoning or Complex_CoT.
        answer: Key of the text after the rationale; default: answer or Response.
        generations: Key of a list of answers with their rationale in think tags, each a trace of its own.
        messages: Key of a list of turns whose last two are question and answer; earlier ones stay in the prompt.
        gold: Key of what is right; default: gold.
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

    holds: ClassVar[Holds] = "traces"

    def read(self, row: JsonRow, row_id: str, /) -> list[Trace]:  # noqa: ARG002
        """Return the traces of a row: one, or as many as it has generations.

        Raises: ValueError that names the key, what was expected and what was found.
        """
        return list(traces_of(row, self))

    def outline(self, row: JsonRow, row_id: str, /) -> tuple[Problem, tuple[int, ...]]:  # noqa: ARG002
        """Return the problem of a row and the numbers of its answers, as `read` would.

        Raises: ValueError, as `read` does.
        """
        return outline_of(row, self)
