"""Contamination: what a training row shares with the questions of an evaluation.

A row is contaminated where its question is a task's question in another case, with other marks or spaces, where its
question, rationale or answer shares 13 words in a row with one (Brown et al. 2020, appendix C), or where its question
holds a large share of a task's question's runs of four words: that one finds questions with a word changed here and
there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, compress
from typing import NamedTuple

from cotdistill.filters import Reason
from cotdistill.filters.golds import differ
from cotdistill.filters.shingles import is_unspaced, words
from cotdistill.records import Problem, Trace


class _Sizes(NamedTuple):
    """Lengths in words; in scripts without spaces a character counts as one, and two say about what a word does."""

    run: int
    gram: int


SPACED, UNSPACED = _Sizes(run=13, gram=4), _Sizes(run=26, gram=5)
LEAST_SHARE = 0.3
"""Of a question's grams. One word in twelve changed leaves 0.67 of them, and never less than 0.5 in GSM8K's test set;
of its 7,473 training questions 6 share 0.3 with a question of the test set."""
LEAST_SHARE_OF_ANOTHER = 0.5
"""The same where both have a gold and they differ: problems made from one template share more than others."""
LEAST_GRAMS = 6
"""Shared grams; fewer are a turn of phrase. Questions of nine words and less are compared as a whole."""
MOST_QUESTIONS = 5
"""A gram that more questions of the tasks have is part of a template, and says nothing about which one was learned."""

LEAST_TELLING = 0.7
"""Share of a question's grams that are no part of a template; where it is less, whole runs alone are compared. None
of GSM8K's test questions has less; those of the demo's set `coin_flip` have, and so they do not drop each other."""


class Place(NamedTuple):
    """A problem of a task."""

    task: str
    problem: str


class _Postings:
    """Which questions hold a sequence of words; most are held by one, so lists are kept for the others only."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}
        """The first question, by the hash of the words."""
        self.others: dict[int, list[int]] = {}

    def add(self, key: tuple[str, ...], number: int) -> None:
        """Remember that the question holds it."""
        hashed = hash(key)
        if self.first.setdefault(hashed, number) != number:
            self.others.setdefault(hashed, []).append(number)

    def of(self, key: tuple[str, ...]) -> list[int]:
        """Return the questions that may hold it (hashes can collide), the first one first."""
        hashed = hash(key)
        first = self.first.get(hashed)
        return [] if first is None else [first, *self.others.get(hashed, ())]


class BenchmarkIndex:
    """The questions of all tasks, to be asked what a text shares with them. Memory: about 300 bytes a word."""

    def __init__(self, tasks: Mapping[str, Sequence[Problem]], *, least_share: float | None = LEAST_SHARE) -> None:
        self._least_share = least_share
        self._places: list[Place] = []
        self._golds: list[str | None] = []
        self._questions: list[tuple[str, ...]] = []
        self._whole, self._runs, self._grams = _Postings(), _Postings(), _Postings()
        self._sizes: list[_Sizes] = []
        for task, problems in tasks.items():
            for problem in problems:
                self._add(Place(task, problem.id), problem.gold, words(problem.question))

    def reason_against(self, trace: Trace) -> Reason | None:
        """Return what the row shares with which task's question; None where it shares nothing."""
        question = words(trace.problem.question)
        earlier = [("earlier turn", words(turn.content)) for turn in trace.problem.context]
        for name, found in (("question", question), *earlier):
            if asked := self._asking(found):
                task, problem = self._places[asked[0]]
                text = f"the {name} is problem {problem} of `{task}` (limit 0 words in common)"
                return Reason("contaminated", text)
        texts = (
            ("question", question),
            *earlier,
            ("reasoning", words(trace.completion.reasoning)),
            ("answer", words(trace.completion.text)),
        )
        for name, found in texts:
            for run, numbers in self._shared_runs(found):
                task, problem = self._places[numbers[0]]
                quoted = ("" if is_unspaced(run) else " ").join(run)
                text = f"{len(run)} words in a row of the {name} (limit {len(run) - 1})"
                return Reason("contaminated", f"{text} stand in problem {problem} of `{task}`: {quoted}")
        return self._reason_against_share(question, trace.problem.gold)

    def problems_in(self, text: str) -> set[Place]:
        """Return every problem whose question a text is, or shares a run of words with."""
        found = words(text)
        numbers = set(self._asking(found))
        for _, having in self._shared_runs(found):
            numbers.update(having)
        return {self._places[number] for number in numbers}

    def _add(self, place: Place, gold: str | None, question: tuple[str, ...]) -> None:
        number = len(self._places)
        self._places.append(place)
        self._golds.append(gold)
        self._questions.append(question)
        is_new = not self._asking(question)
        if question:
            self._whole.add(question, number)
        sizes = _sizes(question)
        if sizes not in self._sizes:
            self._sizes.append(sizes)
        for run in set(_pieces(question, sizes.run)):
            self._runs.add(run, number)
        # A question that several tasks ask is one question.
        for gram in set(_pieces(question, sizes.gram)) if is_new else ():
            self._grams.add(gram, number)

    def _asking(self, question: tuple[str, ...]) -> list[int]:
        """Return the problems that ask these words."""
        return [number for number in self._whole.of(question) if self._questions[number] == question]

    def _shared_runs(self, text: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """Yield the runs of words that questions hold too, in order, with the numbers of these questions.

        Every run covers a gram at a multiple of a step, so that one gram in ten is looked up; around a known one, a run
        holds the gram half a step before or behind it too.
        """
        for size, gram in self._sizes:
            step, last, known = size - gram + 1, len(text) - size, self._grams.first
            found = map(known.__contains__, map(hash, _pieces(text, gram, step) if last >= 0 else ()))
            for place in list(compress(range(0, len(text), step), found)):
                beside = (text[at : at + gram] for at in (place - step // 2, place + step // 2) if at >= 0)
                if not any(hash(other) in known for other in beside):
                    continue
                for start in range(max(0, place - step + 1), min(place, last) + 1):
                    run = text[start : start + size]
                    having = [n for n in self._runs.of(run) if run in _pieces(self._questions[n], size)]
                    if having:
                        yield run, having

    def _reason_against_share(self, question: tuple[str, ...], gold: str | None) -> Reason | None:
        """Return which task's question shares most of its grams with this one; None where none shares enough."""
        if self._least_share is None:
            return None
        for share, number in sorted(self._shares(question), reverse=True):
            is_another = differ(gold, self._golds[number])
            least = max(self._least_share, LEAST_SHARE_OF_ANOTHER) if is_another else self._least_share
            if share >= least:
                task, problem = self._places[number]
                gram = _sizes(self._questions[number]).gram
                found = f"{share:.0%} of the runs of {gram} words of problem {problem} of `{task}`"
                return Reason("contaminated", f"{found} stand in the question (limit below {least:.0%})")
        return None

    def _shares(self, question: tuple[str, ...]) -> Iterator[tuple[float, int]]:
        """Yield for each question that has enough in common with this one the share of its grams, 0..1."""
        known = self._grams.first
        sizes = [size for _, size in self._sizes]
        hashed = map(hash, chain.from_iterable(_pieces(question, size) for size in sizes))
        if len(set(filter(known.__contains__, hashed))) < LEAST_GRAMS:
            return
        grams = {gram for size in sizes for gram in _pieces(question, size) if hash(gram) in known}
        shared: Counter[int] = Counter()
        for having in map(self._grams.of, grams):
            if len(having) <= MOST_QUESTIONS:
                shared.update(having)
        for number, count in shared.items():
            if count >= LEAST_GRAMS:
                asked = self._questions[number]
                grams = set(_pieces(asked, _sizes(asked).gram))
                telling = sum(len(self._grams.of(gram)) <= MOST_QUESTIONS for gram in grams)
                if telling >= LEAST_TELLING * len(grams):
                    yield count / telling, number


def _pieces(text: tuple[str, ...], size: int, step: int = 1) -> Iterator[tuple[str, ...]]:
    """Return the runs of `size` words that begin at every multiple of a step."""
    return zip(*(text[start::step] for start in range(size)), strict=False)


def _sizes(text: tuple[str, ...]) -> _Sizes:
    return UNSPACED if is_unspaced(text) else SPACED
