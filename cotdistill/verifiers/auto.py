r"""The verifier for problem sets that mix kinds of answers: the form of gold decides which verifier compares.

| order | form of gold | examples | verifier |
|---|---|---|---|
| 1 | a letter from A to J, with its option's text or alone | `C`, `(C)`, `C) Paris` | choice |
| 2 | one number, with `####`, name, currency or unit | `#### 18`, `x=5`, `\$70,000`, `3/4`, `90^\circ` | numeric |
| 3 | words | `Paris`, `\text{Evelyn}`, `Yes` | exact |
| 4 | everything else: expressions, lists, intervals, clock times | `2\sqrt{3}`, `-2, 6`, `[2,5)`, `12:00` | math |
"""

from typing import Annotated

from pydantic import Field

from cotdistill.records import Verdict
from cotdistill.registry import kind
from cotdistill.verifiers._expression import bare, gold_expression
from cotdistill.verifiers._languages import Locale
from cotdistill.verifiers.choice import choice, read_option
from cotdistill.verifiers.math import Limits, compare_by_form


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
    if is_option(gold):
        return choice(gold, answer)
    return compare_by_form(gold, answer, locale, Limits(timeout_s, memory_mb))


def is_option(gold: str) -> bool:
    """Return whether gold is an option's letter; `a` and `x` are names, `a)` is an option."""
    plain = bare(gold).strip(" *")
    return (len(plain) > 1 or plain.isupper()) and read_option(gold) is not None
