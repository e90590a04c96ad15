"""Who answers a chat: a judge, a teacher asked for the end of its own rationale, or one that is given a task."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from cotdistill.demo import hints, judge, second_call
from cotdistill.demo.exercises import NOT_FOUND, Answer, Manner
from cotdistill.demo.tasks import find_exercises

SHOWN_ERRORS = 0.7
"""Share of its errors that is left where worked examples stand before the question."""


class Turn(NamedTuple):
    """One message of a chat."""

    role: str
    text: str


def answer_chat(chat: Sequence[Turn], rng: random.Random, manner: Manner) -> Answer:
    """Return what the teacher says next; everything that is chosen is drawn from `rng`."""
    last = max((place for place, turn in enumerate(chat) if turn.role == "user"), default=None)
    if last is None:
        return Answer("", NOT_FOUND, is_right=False)
    text, before = chat[last].text, chat[:last]
    if (comparison := judge.find_comparison(text)) is not None:
        return Answer("", judge.reply(comparison, rng, error_rate=manner.error_rate), is_right=True)
    found = find_exercises(text)
    if not found:
        final = second_call.final_answer([turn.text for turn in before if turn.role == "assistant"])
        return Answer("", final or NOT_FOUND, is_right=final is not None)
    exercise = found[-1]
    if len(found) > 1 or any(find_exercises(turn.text) for turn in before if turn.role == "user"):
        manner = Manner(manner.error_rate * SHOWN_ERRORS, manner.variety)
    if hints.is_shown(text, exercise, is_first=len(found) == 1):
        return hints.work(exercise, rng, manner)
    return exercise.work(rng, manner)
