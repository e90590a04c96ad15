"""What a task's own verifier says of an answer, and which language its thought is in."""

import importlib.util
from dataclasses import dataclass, field
from functools import cache

from pydantic import ValidationError

from cotdistill.data.task import Task
from cotdistill.filters.language import LEAST_LETTERS, letters_by_language
from cotdistill.records import Completion, Problem, Trace
from cotdistill.registry import KindOptions
from cotdistill.verifiers import Verifier, verdict_on

MOST_CHARACTERS = 1500
"""Of a thought whose language is told, from its start: some 2 ms each on one core."""


@dataclass
class TaskGrader:
    """Grades the answers of one task that names a verifier; leaves those of others to the recipe's."""

    task: Task
    _built: dict[tuple[str, tuple[str, ...]], Verifier] = field(default_factory=dict)
    """By language and options of the question, one at a time where these are its own."""

    def graded(self, trace: Trace) -> Trace:
        """Return the trace with its verdict; as it is where the task names no verifier."""
        if self.task.options.verifier is None:
            return trace
        verdict = verdict_on(self._verifier(trace.problem), trace.problem, trace.completion)
        return trace.model_copy(update={"verdict": verdict})

    def _verifier(self, problem: Problem) -> Verifier:
        language = problem.group if self.task.has_languages else ""
        key = language, problem.choices
        if key not in self._built:
            if problem.choices:
                self._built.clear()
            assert self.task.options.verifier is not None
            self._built[key] = fitted(self.task.options.verifier, language, problem.choices).build()
        return self._built[key]


def fitted(verifier: KindOptions, language: str, choices: tuple[str, ...]) -> KindOptions:
    """Return a verifier told the language of the answer and the texts of the options, where it takes them.

    What the registry says itself stays, and so does a verifier that does not know the language.
    """
    known = type(verifier).model_fields
    told: dict[str, object] = {"locale": language or None, "texts": choices}
    said = {key: value for key, value in told.items() if value and key in known and not getattr(verifier, key)}
    try:
        return type(verifier).model_validate({**verifier.model_dump(), **said})
    except ValidationError:
        return verifier


def thought_language(completion: Completion) -> str:
    """Return the language that most of a thought is in, ISO 639-1; of the answer where there is no thought.

    Empty for fewer than 40 letters of prose, and without the package py3langid.
    """
    if not _can_tell():
        return ""
    letters = letters_by_language((completion.reasoning.strip() or completion.text)[:MOST_CHARACTERS])
    if letters.total() < LEAST_LETTERS:
        return ""
    return letters.most_common(1)[0][0]


@cache
def _can_tell() -> bool:
    return importlib.util.find_spec("py3langid") is not None
