"""The answer shown in the prompt: whether it is there, and what it does to an answer (Magister et al. 2023, sec. 3)."""

import random
import re
from dataclasses import replace

from cotdistill.demo.exercises import Answer, Exercise, Manner

HINTED_ERRORS = 0.2
"""Share of its errors that is left once the teacher is shown the answer."""
LEAK_RATE = 0.1
"""Share of hinted answers that speak of the answer that was given."""

_HINT = re.compile(
    r"\b(?:answer|solution|result)\b\W{0,3}(?:is|was)?\W{0,3}(\w+)|答案(?:是|为)?\s*[:：]?\s*(\w+)", re.I
)


def is_shown(text: str, exercise: Exercise, *, is_first: bool) -> bool:
    """Return whether the text around an exercise holds its right answer; a wrong one is no help.

    What stands before it counts if it is the text's first exercise: otherwise it belongs to the worked examples.
    """
    around = [text[exercise.end :], text[: exercise.start] if is_first else ""]
    hints = (match[1] or match[2] for part in around for match in _HINT.finditer(part))
    return any(hint.casefold() == exercise.gold.casefold() for hint in hints)


def work(exercise: Exercise, rng: random.Random, manner: Manner) -> Answer:
    """Return an answer by a teacher that knows where it must come out, and sometimes says so."""
    said = exercise.work(rng, replace(manner, error_rate=manner.error_rate * HINTED_ERRORS))
    if said.is_right and rng.random() < LEAK_RATE:
        return replace(said, reasoning=f"{exercise.leak} {said.reasoning}")
    return said
