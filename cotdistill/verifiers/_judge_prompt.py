"""What a judge is asked: the template with question, gold and the fenced answer in it.

The fence carries a nonce, a word that the answer cannot know, since it is made from the answer, from gold and from the
seed. What stands inside the fence cannot close it, and a verdict that it holds is without the nonce. A template without
a fence is sent as it is: nothing then tells an answer that speaks to the judge from the template's own words.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from cotdistill import prompts
from cotdistill.errors import UserError
from cotdistill.records import Problem

EXPECTED = ("gold", "solution")
"""What the answer is compared with: a template holds one of them."""

BUILT_IN = prompts.SHIPPED / "configs" / "prompts" / "judge.txt"
"""The question that is asked without a `prompt:`."""


class Question(NamedTuple):
    """What a judge is asked about one answer."""

    text: str
    nonce: str
    answer: str
    """The part of the answer that it is shown."""


def load_template(path: Path | None, *, is_fenced: bool = True) -> str:
    """Return the template of the question, the built-in one without a path.

    Raises: UserError: no such file, or a name is missing.
    """
    template = prompts.load(path or BUILT_IN, required=("answer", "nonce") if is_fenced else ("answer",))
    if not any(f"{{{name}}}" in template for name in EXPECTED):
        raise UserError("{gold} is missing", str(path), "write {gold}, or {solution} for the worked answer")
    before, _, after = template.partition("{answer}")
    if is_fenced and "{nonce}" not in before:
        hint = "open the fence before the answer: <answer {nonce}>, and close it after: </answer {nonce}>"
        raise UserError("{answer} comes before {nonce}", str(path), hint)
    if is_fenced and "{nonce}" not in after:
        raise UserError("{nonce} is missing after {answer}", str(path), "close the fence: </answer {nonce}>")
    return template


def ask(template: str, problem: Problem, *, answer: str, seed: int) -> Question:
    """Return the question about one answer; the same answer to the same problem gives the same question.

    Gold stands for the worked answer of a problem that has none.
    """
    gold = problem.gold or ""
    # An answer that holds its own nonce would be a fixed point of the hash: 2^64 tries to find one.
    nonce = hashlib.sha256(json.dumps([seed, problem.question, gold, answer]).encode("ascii")).hexdigest()[:16]
    texts = {"question": problem.question, "gold": gold, "solution": problem.solution or gold, "answer": answer}
    return Question(prompts.render(template, **texts, nonce=nonce), nonce, answer)
