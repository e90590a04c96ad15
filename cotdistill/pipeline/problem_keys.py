"""What tells problems, and what a teacher is asked about each, from others: made by all processes that read them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cotdistill.data.stored_problems import StoredProblems
from cotdistill.engines import Engine
from cotdistill.engines.rows import map_rows
from cotdistill.records import Problem
from cotdistill.registry import KindOptions
from cotdistill.samplers import Sampler
from cotdistill.storage.keys import ListDigest, by_content, canonical_bytes, code_key, key_of, quoted_bytes

Json = Any  # Any: a JSON value


def problems_key(problems: Sequence[Problem]) -> str:
    """Return what tells these problems from others."""
    if isinstance(problems, StoredProblems):
        return problems.remember("key", lambda: _key_of(problems))
    return _key_of(problems)


def asked_keys(problems: Sequence[Problem], teacher: KindOptions, engine: Engine) -> Mapping[str, str]:
    """Return what tells these problems from others, and what tells the prompts about them.

    Raises: UserError where a problem cannot be asked with the teacher's template.
    """
    if not isinstance(problems, StoredProblems):
        return _asked_keys(problems, teacher.build(), engine)
    name = f"prompts {key_of([by_content(teacher), code_key(teacher.of_kind.target)])}"
    found: Mapping[str, str] = json.loads(
        problems.remember(name, lambda: json.dumps(_asked_keys(problems, teacher.build(), engine)))
    )
    return found


def _asked_keys(problems: Sequence[Problem], teacher: Sampler, engine: Engine) -> Mapping[str, str]:
    key, prompts = ListDigest(is_text=True), ListDigest()
    for problem_text, prompt_text in map_rows(engine, partial(_texts_of, teacher), problems):
        key.add(problem_text)
        prompts.add(prompt_text)
    if isinstance(problems, StoredProblems):
        problems.remember("key", key.hex)
    return {"problems": key.hex(), "prompts": prompts.hex()}


def problem_fields(problem: Problem) -> list[Json]:
    """Return what of a problem decides what comes of it."""
    given: list[Json] = [list(problem.choices), problem.group] if problem.choices or problem.group else []
    context = [[[message.role, message.content] for message in problem.context]] if problem.context else []
    return [problem.id, problem.question, problem.gold, *given, *context]


def _key_of(problems: Iterable[Problem]) -> str:
    digest = ListDigest(is_text=True)
    for problem in problems:
        digest.add(quoted_bytes(problem_fields(problem)))
    return digest.hex()


def _texts_of(teacher: Sampler) -> Callable[[Problem], tuple[bytes, bytes]]:
    def texts(problem: Problem) -> tuple[bytes, bytes]:
        prompt = [message.content for message in teacher.messages(problem)]
        return quoted_bytes(problem_fields(problem)), canonical_bytes(prompt)

    return texts
