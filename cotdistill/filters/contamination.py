"""Contamination: what a training row shares with the questions of an evaluation.

A row is contaminated where its question is a task's question in another case, with other marks or spaces, or where its
question, rationale or answer shares 13 words in a row with one (Brown et al. 2020, appendix C).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cotdistill.filters import Reason
from cotdistill.filters.shingles import is_unspaced, words
from cotdistill.records import Problem, Trace

RUN_WORDS = 13
RUN_CHARACTERS = 26
"""In scripts without spaces a character counts as a word, and two of them say about what a word does."""


class Place(NamedTuple):
    """A problem of a task."""

    task: str
    problem: str


class BenchmarkIndex:
    """The questions of all tasks, to be asked what a text shares with them. Memory: about 100 bytes a word."""

    def __init__(self, tasks: Mapping[str, Sequence[Problem]]) -> None:
        self._places: list[Place] = []
        self._questions: list[tuple[str, ...]] = []
        self._whole: dict[tuple[str, ...], int] = {}
        self._runs: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}
        """Further problems whose question has a run that an earlier one has."""
        self._vocabulary: set[str] = set()
        for task, problems in tasks.items():
            for problem in problems:
                self._add(Place(task, problem.id), words(problem.question))

    def reason_against(self, trace: Trace) -> Reason | None:
        """Return what the row shares with which task's question; None where it shares nothing."""
        asked = self._whole.get(words(trace.problem.question))
        if asked is not None:
            task, problem = self._places[asked]
            text = f"the question is problem {problem} of `{task}` (limit 0 words in common)"
            return Reason("contaminated", text)
        texts = (
            ("question", trace.problem.question),
            ("reasoning", trace.completion.reasoning),
            ("answer", trace.completion.text),
        )
        for name, text in texts:
            if shared := self._shared(words(text)):
                run, (task, problem) = shared
                quoted = ("" if is_unspaced(run) else " ").join(run)
                found = f"{len(run)} words in a row of the {name} (limit {len(run) - 1})"
                return Reason("contaminated", f"{found} stand in problem {problem} of `{task}`: {quoted}")
        return None

    def problems_in(self, text: str) -> set[Place]:
        """Return every problem whose question a text is, or shares a run of words with."""
        found = words(text)
        whole = self._whole.get(found)
        numbers = {whole} | self._same(whole) if whole is not None else set()
        known = 0
        for end, word in enumerate(found, start=1):
            known = known + 1 if word in self._vocabulary else 0
            # A question in an unspaced script may stand among words of another one.
            for size in (RUN_WORDS, RUN_CHARACTERS):
                if known >= size:
                    run = found[end - size : end]
                    numbers |= {number for number in self._having(hash(run)) if run in _runs(self._questions[number])}
        return {self._places[number] for number in numbers}

    def _same(self, number: int) -> set[int]:
        """Return the problems that ask the same words."""
        question = self._questions[number]
        return {other for other in self._others.get(hash(question), ()) if self._questions[other] == question}

    def _having(self, run: int) -> Iterator[int]:
        if run in self._runs:
            yield self._runs[run]
            yield from self._others.get(run, ())

    def _add(self, place: Place, question: tuple[str, ...]) -> None:
        number = len(self._places)
        self._places.append(place)
        self._questions.append(question)
        if question and self._whole.setdefault(question, number) != number:
            self._others.setdefault(hash(question), []).append(number)
        self._vocabulary.update(question)
        for run in set(_runs(question)):
            if self._runs.setdefault(hash(run), number) != number:
                self._others.setdefault(hash(run), []).append(number)

    def _shared(self, text: tuple[str, ...]) -> tuple[tuple[str, ...], Place] | None:
        """Return the first run of words that a question holds too, and where."""
        size = _run_size(text)
        known = 0
        for end, word in enumerate(text, start=1):
            # A run with a word that no question has needs no look.
            known = known + 1 if word in self._vocabulary else 0
            if known >= size:
                run = text[end - size : end]
                number = self._runs.get(hash(run))
                if number is not None and run in _runs(self._questions[number]):
                    return run, self._places[number]
        return None


def _runs(text: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    size = _run_size(text)
    return (text[start : start + size] for start in range(len(text) - size + 1))


def _run_size(text: tuple[str, ...]) -> int:
    return RUN_CHARACTERS if is_unspaced(text) else RUN_WORDS
