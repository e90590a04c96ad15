"""YAML or JSON -> model; every complaint names file, line, key and the nearest right spelling.

Read as people mean it: duplicate keys are errors, `1e-5` is a number, `NO` and `on` are strings.
"""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cotdistill.errors import UserError, no_such_file, raise_all

M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]
Data = Any  # Any: what a YAML document may hold


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: no `yes`/`no`/`on`/`off`, and `1e-5` is a float."""


_REPLACED = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "timestamp")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|nan)$"),
    list("-+0123456789."),
)


@dataclass
class Source:
    """A document with the place of every key in it."""

    path: Path
    data: Data
    places: dict[Loc, str] = field(default_factory=dict)
    """Where a value stands: `file:line`, or the command-line option that set it."""
    names: dict[Loc, str] = field(default_factory=dict)
    """What the user calls a value, where it was moved from another key."""

    def where(self, loc: Loc) -> str:
        """Return `file:line: key` of a value, or of the nearest value around it."""
        around = loc
        while around and around not in self.places:
            around = around[:-1]
        name = self.names.get(loc) or ".".join(map(str, loc))
        place = self.places.get(around, str(self.path))
        return f"{place}: {name}" if name else place

    def get(self, loc: Loc) -> Data:
        """Return the value at a place; None where there is none."""
        value = self.data
        for part in loc:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def set(self, key_path: str, text: str) -> None:
        """Apply `--set key.path=value`; the value is read as YAML.

        Raises: UserError.
        """
        where = f"--set {key_path}={_without_secret(key_path, text)}"
        *parents, last = loc = tuple(key_path.split("."))
        target = self.data
        for part in parents:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise UserError(f"{part} is not a section", where)
        try:
            target[last] = _plain(yaml.compose(text, Loader=_Loader), Source(self.path, None), ())
        except yaml.YAMLError:
            target[last] = text
        for old in [place for place in self.places if place[: len(loc)] == loc]:
            del self.places[old]
        self.places |= dict.fromkeys(_locs(target[last], loc), where)


def _locs(value: Data, loc: Loc) -> Iterator[Loc]:
    """Yield the place of a value, and those of the keys inside it."""
    yield loc
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _locs(inner, (*loc, key))


def load(path: Path) -> Source:
    """Read a document whose top is a mapping.

    Raises: UserError: no such file, not YAML, a duplicate key.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise no_such_file(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", str(path)) from None
    is_json = path.suffix == ".json"
    source = Source(path, None)
    try:
        # A tab is white space in JSON and an error in YAML; inside a JSON string it cannot stand.
        node = yaml.compose(text.replace("\t", " ") if is_json else text, Loader=_Loader)
        source.data = _plain(node, source, ())
        if is_json:
            source.data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"is not JSON: {error.msg}", f"{path}:{error.lineno}") from None
    except yaml.YAMLError as error:
        raise _yaml_error(path, error) from None
    if not isinstance(source.data, dict):
        raise UserError("must be a mapping of keys to values", f"{path}:1")
    return source


def validate(source: Source, model: type[M], *, prefix: Loc = ()) -> M:
    """Return the document (or the part of it under `prefix`) as a model.

    Raises: UserError, UserErrors: every fault at once.
    """
    try:
        return model.model_validate(source.get(prefix))
    except ValidationError as error:
        raise_all(faults(error, source, model, prefix=prefix))
        raise AssertionError("a validation error without faults") from error


def faults(error: ValidationError, source: Source, model: type[BaseModel], *, prefix: Loc = ()) -> list[UserError]:
    """Return one UserError per fault that pydantic found, in the order of the file."""
    found = []
    for detail in error.errors():
        inner = _real_loc(detail, source.get(prefix))
        message, hint = _explain(detail, source.get(prefix + inner), _siblings(model, inner, source, prefix))
        found.append(UserError(message, source.where(prefix + inner), hint))
    return found


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint with the nearest right spelling, or with what is known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return "known: " + ", ".join(known) if known and len(known) <= 30 else ""


def _plain(node: yaml.Node | None, source: Source, loc: Loc, parents: frozenset[int] = frozenset()) -> Data:
    if node is None:
        return None
    if id(node) in parents:
        raise UserError("an alias refers to itself", f"{source.path}:{node.start_mark.line + 1}")
    if loc not in source.places:
        source.places[loc] = f"{source.path}:{node.start_mark.line + 1}"
    inside = parents | {id(node)}
    loader = _Loader("")
    if isinstance(node, yaml.MappingNode):
        _refuse_duplicates(node, source)
        loader.flatten_mapping(node)
        result = {}
        for key_node, value_node in node.value:
            key = str(loader.construct_object(key_node))
            source.places[(*loc, key)] = f"{source.path}:{key_node.start_mark.line + 1}"
            result[key] = _plain(value_node, source, (*loc, key), inside)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, source, (*loc, i), inside) for i, item in enumerate(node.value)]
    return loader.construct_object(node)


def _refuse_duplicates(node: yaml.MappingNode, source: Source) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UserError("a key must be a word, not a list or a mapping", f"{source.path}:{line}")
        if key.value in first:
            raise UserError(
                f"duplicate key, first in line {first[key.value]}",
                f"{source.path}:{line}: {key.value}",
                "remove one of them",
            )
        first[key.value] = line


def _yaml_error(path: Path, error: yaml.YAMLError) -> UserError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return UserError(f"is not YAML: {problem}", where, "check the indentation and the quotes")


def _real_loc(detail: ErrorDetails, data: Data) -> Loc:
    """Drop from pydantic's path the names that are not keys, tags of unions; add the key that a validator names."""
    real: list[str | int] = []
    parts = detail["loc"]
    for position, part in enumerate(parts):
        is_missing_key = detail["type"] == "missing" and position == len(parts) - 1
        if isinstance(data, dict) and (part in data or is_missing_key):
            real.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            real.append(part)
            data = data[part]
    key = detail.get("ctx", {}).get("key")
    return (*real, key) if isinstance(key, str) and isinstance(data, dict) and key in data else tuple(real)


def _explain(detail: ErrorDetails, value: Data, siblings: list[str]) -> tuple[str, str]:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return "unknown key", nearest(str(detail["loc"][-1]), siblings)
    if kind == "missing":
        return "is missing", f"add `{detail['loc'][-1]}:`"
    if hint := detail.get("ctx", {}).get("known"):
        return f"{detail['msg']} {_shown(detail['ctx'].get('given', value))}", nearest(
            str(detail["ctx"].get("given")), hint
        )
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{message}, not {_shown(value)}" if message.startswith("should") else message, ""


def _shown(value: Data) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def _siblings(model: type[BaseModel], loc: Loc, source: Source, prefix: Loc) -> list[str]:
    """Return the keys that may stand where the last key of `loc` stands."""
    current: type[BaseModel] | None = model
    for position, part in enumerate(loc[:-1]):
        if isinstance(part, int):
            # An item of a list: its model was found with the list.
            continue
        if current is None or str(part) not in current.model_fields:
            return []
        current = _model_at(current, str(part), source.get(prefix + loc[: position + 1]))
    if current is None:
        return []
    known_keys = getattr(current, "known_keys", None)
    return list(known_keys()) if known_keys else list(current.model_fields)


def _model_at(model: type[BaseModel], key: str, value: Data) -> type[BaseModel] | None:
    info = model.model_fields[key]
    for meta in info.metadata:
        if hasattr(meta, "model_for"):
            return meta.model_for(value)  # type: ignore[no-any-return]
    for candidate in (info.annotation, *getattr(info.annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
        for meta in getattr(candidate, "__metadata__", ()):
            if hasattr(meta, "model_for"):
                return meta.model_for(value)  # type: ignore[no-any-return]
    return None


_SECRET_KEY = re.compile(r"(?:key|secret|password|token|bearer)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?<=//)[^/\s]*(?=@)|(?<=[?#]).+|(?:sk-|hf_|ghp_|Bearer\s+)\S+")


def _without_secret(key_path: str, text: str) -> str:
    """Return a value for a message: what may be a key in it is blotted out."""
    return "…" if _SECRET_KEY.search(key_path) else _SECRET_TEXT.sub("…", text)
