"""Passages: a short text and a question that takes two of its sentences to answer, as in HotpotQA.

Problem(id="a1…", question="Ada is a baker. … The baker lives in Oslo. … Where does Ada live?", gold="Oslo")
"""

import functools
import random
import re
from collections.abc import Iterator

from cotdistill.demo.exercises import Answer, Exercise, Manner
from cotdistill.demo.phrases import ENGLISH
from cotdistill.records import Problem, problem_id

JOBS = ("baker", "nurse", "pilot", "farmer", "singer", "tailor", "teacher", "judge")
CITIES = ("Oslo", "Rome", "Lima", "Cairo", "Delhi", "Quito", "Tokyo", "Accra")
WORKS, LIVES, QUESTION = "{name} is a {job}.", "The {job} lives in {city}.", "Where does {name} live?"
FINAL = "The answer is {c}."
LEAK = "The given answer is {c}."
TEXTS = (*JOBS, *CITIES, WORKS, LIVES, QUESTION, FINAL)
"""All of its words, for a tokenizer."""


def make_passages(count: int, *, seed: int, people: tuple[int, int] = (2, 4)) -> Iterator[Problem]:
    """Yield `count` problems with distinct questions; `people` is the fewest and the most of them, both included.

    The same seed yields the same sequence: a larger count only goes on with it.
    """
    rng = random.Random(f"passages {seed} {people}")
    seen: set[str] = set()
    while len(seen) < count:
        size = rng.randint(*people)
        names, jobs, cities = (rng.sample(words, size) for words in (ENGLISH.names, JOBS, CITIES))
        told = [WORKS.format(name=name, job=job) for name, job in zip(names, jobs, strict=True)]
        homes = [LIVES.format(job=job, city=city) for job, city in zip(jobs, cities, strict=True)]
        rng.shuffle(homes)
        asked = rng.randrange(size)
        question = " ".join([*told, *homes, QUESTION.format(name=names[asked])])
        if question not in seen:
            seen.add(question)
            yield Problem(id=problem_id(question), question=question, gold=cities[asked])


def find(text: str) -> Iterator[Exercise]:
    """Yield the exercises of this task that stand in a text, those that their text answers."""
    for found in _PASSAGE.finditer(text):
        jobs = dict(_WORKS.findall(found[0]))
        homes = dict(_LIVES.findall(found[0]))
        name = found["asked"]
        if jobs.get(name) in homes:
            gold = homes[jobs[name]]
            work = functools.partial(_work, name, jobs, homes)
            yield Exercise(found.start(), found.end(), gold, LEAK.format(c=gold), work)


def _work(name: str, jobs: dict[str, str], homes: dict[str, str], rng: random.Random, manner: Manner) -> Answer:
    """Return the two sentences that lead to the answer; a slip takes the home of someone else."""
    job = jobs[name]
    city = homes[job]
    if rng.random() < manner.error_rate:
        city = rng.choice([home for home in homes.values() if home != city] or [job])
    reasoning = f"{WORKS.format(name=name, job=job)} {LIVES.format(job=job, city=city)}"
    return Answer(reasoning, FINAL.format(c=city), is_right=city == homes[job])


_WORKS = re.compile(r"(\w+)\s+is\s+a\s+(\w+)\.")
_LIVES = re.compile(r"The\s+(\w+)\s+lives\s+in\s+(\w+)\.")
_PASSAGE = re.compile(
    r"(?:\w+\s+is\s+a\s+\w+\.\s+)+(?:The\s+\w+\s+lives\s+in\s+\w+\.\s+)+Where\s+does\s+(?P<asked>\w+)\s+live\?"
)
