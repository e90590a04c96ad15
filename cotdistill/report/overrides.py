"""What each arm changes of the recipe: `filter.keep: correct -> all`."""

import json
from collections.abc import Iterator, Mapping

from cotdistill.report.data import JsonRow
from cotdistill.report.recipes import FACTS, MAIN, in_words

NOT_COMPARED = frozenset({"name", "arms"})
"""Keys that are no part of an arm."""


def overrides(recipes: Mapping[str, JsonRow], arm: str) -> tuple[str, ...] | None:
    """Return a line for each key that an arm overrides, in the recipe's order; None where no recipe of it is known."""
    if arm not in recipes or MAIN not in recipes:
        return None
    main = {key: value for key, value in recipes[MAIN].items() if key not in NOT_COMPARED}
    return tuple(_changes(main, recipes[arm], ""))


def _changes(main: Mapping[str, object], arm: Mapping[str, object], above: str) -> Iterator[str]:
    for key in dict.fromkeys((*main, *(key for key in arm if above))):
        before, after, path = main.get(key), arm.get(key), f"{above}{key}"
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping) and before.get("kind") == after.get("kind"):
            yield from _changes(before, after, f"{path}.")
        else:
            yield f"{path}: {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    """Return a value as a recipe would say it; of a kind what it is known by."""
    if value is None:
        return "none"
    if isinstance(value, str) and value not in ("", "none") and value.isprintable():
        return value
    if isinstance(value, Mapping) and any(value.get(fact) for fact in FACTS):
        return in_words(value)
    if isinstance(value, Mapping):
        # A section with all its defaults is no news; that it is there is.
        return "on"
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: object) -> object:
    """Return a value without options that say nothing, and a kind that has no others by its name."""
    if isinstance(value, Mapping):
        said = {key: _plain(inner) for key, inner in value.items() if inner is not None}
        return said["kind"] if list(said) == ["kind"] else said
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
