"""What a recipe comes to: its arms with their steps, and the values that each step will have."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cotdistill.recipe.plan import Plan, PlannedArm, Step
from cotdistill.registry import KindOptions

Json = Any  # Any: a JSON value

IMPORTANT = {
    "sample": ("samples_per_problem", "max_tokens"),
    "filter": ("keep",),
    "convert": ("style", "format"),
    "train": ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "cutoff_len"),
    "evaluate": ("tasks",),
}
"""Options that are shown where they have their defaults too."""
MOST_CHARS = 60


class Value(NamedTuple):
    """One option of a step."""

    key: str
    value: Json
    is_default: bool

    def __str__(self) -> str:
        """Return it as text: what stands in the recipe, or what the default is."""
        is_plain = isinstance(self.value, str) and self.value and self.value.isprintable()
        text = self.value if is_plain else json.dumps(self.value, ensure_ascii=False)
        shown = text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 1] + "…"
        return f"{self.key} {shown}" + (" (default)" if self.is_default else "")


def step_values(step: Step) -> list[Value]:
    """Return the options of a step that differ from their defaults, and the important ones whatever they are."""
    options, fields = step.options, type(step.options).model_fields
    dumped = options.model_dump(mode="json")
    required = {name: getattr(options, name) for name, field in fields.items() if field.is_required()}
    plain = type(options)(**required).model_dump(mode="json")
    defaults = {key: value for key, value in plain.items() if key not in required}

    def is_default(key: str) -> bool:
        return key in defaults and key in fields and dumped[key] == defaults[key]

    shown = IMPORTANT.get(step.stage.name, ())
    keys = [key for key in dumped if key in shown or not is_default(key)]
    ordered = [*(key for key in shown if key in keys), *(key for key in keys if key not in shown)]
    return [Value(key, _short(getattr(options, key, None), dumped[key]), is_default(key)) for key in ordered]


def role_values(step: Step) -> dict[str, str]:
    """Return who or what plays each role of a step: `endpoint deepseek-flash`."""
    found = {role: step.recipe.role(role) for role in step.uses}
    return {role: _named(options) for role, options in found.items() if options is not None}


def shared_with(step: Step, plan: Plan) -> list[str]:
    """Return the names of the arms that a step belongs to."""
    return [row.name for row in plan.rows if any(each.folder == step.folder for each in row.steps)]


def tree(plan: Plan) -> Iterator[str]:
    """Yield the lines of a tree: each arm, its steps, and the values of those that no arm before it has."""
    told: dict[str, str] = {}
    for row in plan.rows:
        yield _title(row)
        for number, step in enumerate(row.steps):
            is_last = number == len(row.steps) - 1
            first = told.setdefault(step.folder, row.name)
            yield f"{'└─' if is_last else '├─'} {_line(step, first, row, plan)}"
            if first == row.name:
                yield from (f"{'  ' if is_last else '│ '}   {text}" for text in _details(step))


def as_json(plan: Plan) -> Json:
    """Return the same as JSON values."""
    arms = [{"name": row.name, "kind": row.kind, "steps": [step.folder for step in row.steps]} for row in plan.rows]
    values = {
        step.folder: {
            "arms": shared_with(step, plan),
            "roles": role_values(step),
            "options": {value.key: value.value for value in step_values(step)},
            "defaults": [value.key for value in step_values(step) if value.is_default],
        }
        for step in plan.steps
    }
    return {"arms": arms, "values": values}


def _title(row: PlannedArm) -> str:
    return row.name if row.kind in ("trained", row.name) else f"{row.name} ({row.kind})"


def _line(step: Step, first: str, row: PlannedArm, plan: Plan) -> str:
    if first != row.name:
        return f"{step.folder}: the step of `{first}`"
    others = [name for name in shared_with(step, plan) if name != row.name]
    shared = f" [shared with {', '.join(others)}]" if others else ""
    return f"{step.folder}: {step.stage.summary}{shared}"


def _details(step: Step) -> Iterable[str]:
    roles = "; ".join(f"{role}: {name}" for role, name in role_values(step).items())
    values = ", ".join(map(str, step_values(step)))
    return [text for text in (roles, values) if text]


def _named(options: KindOptions) -> str:
    model = getattr(options, "model", None)
    return f"{options.kind} {model}" if isinstance(model, str) else options.kind


def _short(value: object, dumped: Json) -> Json:
    """Return an option's JSON value; of a kind its name, and what differs from the kind's own defaults."""
    if not isinstance(value, KindOptions):
        return dumped
    given = value.model_dump(mode="json", exclude_defaults=True)
    return {"kind": value.kind, **given} if given.keys() - {"kind"} else value.kind
