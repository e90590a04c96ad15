r"""The verifier for problem sets that mix kinds of answers: the form of gold decides which verifier compares.

| order | form of gold | examples | verifier |
|---|---|---|---|
| 1 | a letter from A to J, with its option's text or alone | `C`, `(C)`, `C) Paris` | choice |
| 2 | one number, with `####`, name, currency or unit | `#### 18`, `x=5`, `\$70,000`, `3/4`, `90^\circ` | numeric |
| 3 | words | `Paris`, `\text{Evelyn}`, `Yes` | exact |
| 4 | everything else: expressions, lists, intervals, clock times | `2\sqrt{3}`, `-2, 6`, `[2,5)`, `12:00` | math |
"""

from typing import Annotated, Literal

from pydantic import Field

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._expression import bare, gold_expression, lone_number, stripped
from cotdistill.verifiers._languages import Locale
from cotdistill.verifiers._text import words_of
from cotdistill.verifiers.choice import choice, read_option
from cotdistill.verifiers.exact import exact
from cotdistill.verifiers.math import compare_number, math


@kind
def auto(
    gold: str,
    answer: str,
    *,
    locale: Locale | None = None,
    timeout_s: Annotated[float, Field(ge=0.1, le=600)] = 3.0,
    memory_mb: Annotated[int, Field(ge=512)] = 1024,
) -> Verdict:
    """Compare each answer by the verifier that the form of its gold answer asks for: choice, numeric, exact or math.

    For sets that stand together in one recipe, as GSM8K, MATH and MMLU. Only gold is looked at to choose; a set of
    one kind is better served by its own verifier.

    Options:
        locale: language of the answers, for `numeric` and `math`; left out, it is guessed for each answer.
        timeout_s: seconds of CPU time for one comparison of `math`.
        memory_mb: address space of the process in which `math` compares.
    """
    gold = gold_expression(gold) if "\\boxed" in gold else gold
    match form_of(gold):
        case "choice":
            return choice(gold, answer)
        case "numeric":
            expected = stripped(gold)
            number = lone_number(expected)
            assert number is not None
            return compare_number(number, expected, answer, locale, timeout_s, memory_mb)
        case "exact":
            return exact(bare(gold), answer)
        case "math":
            return math(gold, answer, locale=locale, timeout_s=timeout_s, memory_mb=memory_mb)


def form_of(gold: str) -> Literal["choice", "numeric", "exact", "math"]:
    """Return the verifier for a gold answer, in the order of the table above."""
    text = gold.rpartition("####")[2]
    if len(text) > 2000:  # no answer; `math` says so
        return "math"
    if _is_option(text):
        return "choice"
    if lone_number(text) is not None:
        return "numeric"
    return "math" if words_of(text) is None else "exact"


def _is_option(text: str) -> bool:
    """Return whether gold is an option's letter; `a` and `x` are names, `a)` is an option."""
    option, plain = read_option(text), bare(text).strip(" *")
    return option is not None and (len(plain) > 1 or plain.isupper())
