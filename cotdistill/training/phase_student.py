"""What learns in a phase of a training where it is other than the recipe's student: LoRA after all weights.

train: {phases: [{dataset: broad}, {dataset: domain, student: {kind: lora, lora_rank: 16}}]}
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cotdistill.errors import RecipeFault, first_fault
from cotdistill.registry import KindOptions, kinds
from cotdistill.students import Student

KEY = "train.phases"
OF_THE_MODEL = ("model", "hub", "revision", "trust_remote_code")
"""Options that say where the weights of the first phase come from: a phase has them of the recipe's student."""


def student_in_phase(
    given: Mapping[str, Any] | None,  # Any: values of a recipe
    student: KindOptions | Student,
) -> KindOptions | None:
    """Return the kind that a phase names, its model that of the recipe's `student`; None where it names none.

    Raises: RecipeFault: no such kind or option, a model of its own, an adapter that stays alone, or the kind takes
        models of the other make.
    """
    if given is None:
        return None
    name, known = given.get("kind"), kinds("students")
    if not isinstance(name, str) or name not in known:
        raise RecipeFault(f"a phase's student has no kind `{name}`", KEY, f"known: {', '.join(known)}")
    if own := next((key for key in OF_THE_MODEL if key in given), None):
        hint = f"remove `{own}`: each phase begins with the weights of the one before"
        raise RecipeFault(f"a phase's student has no `{own}` of its own", KEY, hint)
    if given.get("merge") is False:
        hint = "leave `merge` out: the student is asked as the recipe's kind"
        raise RecipeFault("a phase leaves whole weights, and no adapter alone", KEY, hint)
    fields = known[name].options.model_fields
    # One that is made here has no name; the weights are those of the phase before anyway.
    model = {"model": "made-here"} if "model" in fields else {}
    model |= {key: getattr(student, key) for key in OF_THE_MODEL if key in fields and hasattr(student, key)}
    try:
        found = known[name].options.model_validate({**model, **given})
    except ValidationError as error:
        raise RecipeFault(f"a phase's student: {first_fault(error)}", KEY) from None
    built, before = found.build(), student.build() if isinstance(student, KindOptions) else student
    if built.is_pair is not before.is_pair:
        make = "an encoder-decoder" if before.is_pair else "no encoder-decoder"
        hint = f"`kind: {'seq2seq_lora' if before.is_pair else 'lora'}` goes on with it"
        raise RecipeFault(f"the student is {make}, and a phase's kind `{name}` is for the others", KEY, hint)
    return found
