"""An arm's keys laid over the recipe's, and where each of them stands."""

import copy
from typing import Any

from cotdistill.yamlfile import Data, Source


def source_of_arm(source: Source, name: str, changes: dict[str, Any]) -> Source:  # Any: values of a recipe
    """Return the recipe as an arm has it; a key that it overrides is called by its place in the arm."""
    inherited = {key: value for key, value in source.data.items() if key != "arms"}
    merged = _merge(inherited, changes)
    _leave_out(inherited, merged, changes)
    places, names = dict(source.places), dict(source.names)
    for loc, place in source.places.items():
        if loc[:2] == ("arms", name) and len(loc) > 2:
            places[loc[2:]] = place
            names[loc[2:]] = ".".join(map(str, loc))
    return Source(source.path, merged, places, names)


def _leave_out(inherited: Data, merged: Data, changes: dict[str, Any]) -> None:  # Any: values of a recipe
    """Take out of an arm what the recipe says of something that the arm has another one of, or none."""
    if "teacher" in changes and changes["teacher"] is None and not changes.get("sample"):
        # Recorded answers: nobody is asked.
        merged.pop("sample", None)
    own, common = changes.get("problems"), inherited.get("problems")
    if not (isinstance(own, dict) and isinstance(common, dict)) or "split" in own:
        return
    if own.get("dataset") not in (None, common.get("dataset")):
        # A split is one of its set.
        merged["problems"].pop("split", None)


def _merge(base: Data, changes: Data) -> Data:
    """Return `base` with the keys of `changes` replaced; another `kind` replaces the whole mapping."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    if "kind" in changes and changes["kind"] != base.get("kind"):
        return copy.deepcopy(changes)
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = _merge(base.get(key), value)
    return merged
