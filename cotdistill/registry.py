"""Kind name -> function or dataclass; its keyword-only parameters are its recipe options.

A kind is one public module of a family's folder (`verifiers/numeric.py` is the verifier `numeric`) that holds one
object marked `@kind`. Another package adds one by an entry point of the group `cotdistill.<family>`.
Scanning imports every module of the family, so a kind imports heavy packages inside the function that needs them.
"""

import functools
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeGuard, TypeVar, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, core_schema

FAMILIES = ("samplers", "verifiers", "styles", "formats", "students", "losses", "selectors", "objectives", "scorers")

T = TypeVar("T", bound=Callable[..., object])

NOT_IN_KEY = Field(json_schema_extra={"in_key": False})
"""Marks an option that changes how a thing is done and not what comes out: it is no part of a stage's key.
Used as `base_url: Annotated[str, NOT_IN_KEY]`."""


@dataclass(frozen=True)
class NamesFile:
    """Marks a text option that names a file: what counts is what the file says, wherever it lies.

    Used as `deepspeed: Annotated[str | None, NamesFile()]`; an option of type Path needs no mark.
    """

    is_name: Callable[[str], bool] = bool
    """Whether a text is such a name, for options that take other texts too."""


class Options(BaseModel):
    """Options of a stage or a kind: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, coerce_numbers_to_str=True)

    @field_validator("*", mode="before")
    @classmethod
    def _one_is_a_list(cls, given: Any, info: ValidationInfo) -> Any:  # Any: whatever stands in the recipe
        """Take one value where a list is meant: `tasks: holdout`."""
        is_one = isinstance(given, str | int | float) or (isinstance(given, dict) and "kind" not in given)
        field = cls.model_fields.get(info.field_name or "")
        return [given] if is_one and field is not None and _is_any_list(field) else given

    def key_options(self, file: Callable[[Path], Any] = str) -> dict[str, Any]:  # Any: JSON values
        """Return the options that decide what comes out, at any depth, as JSON values.

        `file` says what stands for a file that an option names; default: its path.
        """
        left_out = {name for name, field in type(self).model_fields.items() if not is_in_key(field)}
        options = self.model_dump(mode="json", exclude=left_out)
        for name in options.keys() & type(self).model_fields.keys():
            mark = file_mark(type(self).model_fields[name])
            options[name] = _key_value(getattr(self, name), options[name], file, mark)
        return options


def file_mark(field: FieldInfo) -> NamesFile | None:
    """Return what says which texts of an option name a file; None: none of them does."""
    return next((mark for mark in field.metadata if isinstance(mark, NamesFile)), None)


def names_file(value: object, mark: NamesFile | None) -> TypeGuard[str | Path]:
    """Return whether an option's value names a file that is read; `mark` is the option's."""
    return isinstance(value, Path) or (isinstance(value, str) and mark is not None and mark.is_name(value))


def _key_value(value: object, dumped: Any, file: Callable[[Path], Any], mark: NamesFile | None) -> Any:
    """Return what stands for an option in a key; `dumped` is its JSON value."""  # Any: JSON values
    if isinstance(value, Options):
        return value.key_options(file)
    if names_file(value, mark):
        return file(Path(value))
    if isinstance(value, tuple) and isinstance(dumped, list):
        return [_key_value(item, said, file, mark) for item, said in zip(value, dumped, strict=True)]
    return dumped


class BoundFunction(functools.partial[Any]):  # Any: what the family's contract says
    """A kind that is a plain function, with its options bound."""

    def check(self) -> None:
        """Return: what a function can do with its options was found out when they were validated."""


class KindOptions(Options):
    """A kind chosen in a recipe, with its options."""

    # Made at run time, each with the texts of its kind's docstring: a search for its source costs 15 ms a kind.
    model_config = ConfigDict(use_attribute_docstrings=False)

    of_kind: ClassVar["Kind"]
    kind: str

    def build(self) -> Any:  # Any: what the family's contract (its `__init__.py`) says
        """Return the function with its options bound, or the dataclass made with them; either has `check()`."""
        options = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        target = self.of_kind.target
        return target(**options) if inspect.isclass(target) else BoundFunction(target, **options)


@dataclass(frozen=True)
class Kind:
    """One thing that a recipe can choose."""

    family: str
    name: str
    target: Callable[..., Any]  # Any: what the family's contract says

    @functools.cached_property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.target) or "").partition("\n")[0]

    @functools.cached_property
    def options(self) -> type[KindOptions]:
        """The options model: one field per keyword-only parameter."""
        model = create_model(
            f"{self.family}.{self.name}",
            __base__=KindOptions,
            __doc__=self.summary,
            **_option_fields(self.target),
            kind=(Literal[self.name], ...),  # type: ignore[arg-type]  # a Literal made at run time
        )
        model.of_kind = self
        return model


def _is_any_list(field: FieldInfo) -> bool:
    """Return whether an option is a list of any length, and does not itself read one text as several values."""
    members = get_args(field.annotation) if isinstance(field.annotation, types.UnionType) else (field.annotation,)
    lists = [member for member in members if member is not type(None)]
    is_read = any(isinstance(mark, BeforeValidator) for mark in field.metadata)
    return not is_read and bool(lists) and all(get_origin(m) is tuple and get_args(m)[-1] is ... for m in lists)


def is_in_key(field: FieldInfo) -> bool:
    """Return whether a change of this option changes what comes out."""
    extra = field.json_schema_extra
    return not (isinstance(extra, dict) and extra.get("in_key") is False)


def kind(target: T) -> T:
    """Mark the one function or dataclass of a module that is its kind."""
    target.__cotdistill_kind__ = True  # type: ignore[attr-defined]
    return target


@functools.cache
def kinds(family: str) -> Mapping[str, Kind]:
    """Return the kinds of a family by name, sorted: ours, then other packages'."""
    package = importlib.import_module(f"cotdistill.{family}")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            target = _marked(importlib.import_module(f"{package.__name__}.{module.name}"))
            found[module.name] = Kind(family, module.name, target)
    for entry in importlib.metadata.entry_points(group=f"cotdistill.{family}"):
        found[entry.name] = Kind(family, entry.name, entry.load())
    return dict(sorted(found.items()))


def make(family: str, name: str, **options: object) -> Any:  # Any: what the family's contract says
    """Build a kind from code: `make("verifiers", "numeric")("72", "so it is 72")`."""
    return kinds(family)[name].options.model_validate({"kind": name, **options}).build()


class OneOf:
    """Annotation of a recipe field that holds a kind: `Annotated[KindOptions, OneOf("verifiers")]`.

    The value is a mapping with `kind`, or the kind's name alone where all its options have defaults.
    """

    def __init__(self, family: str, *, without: tuple[str, ...] = (), having: str | None = None) -> None:
        """`without` names kinds that cannot be chosen here: a kind that takes another one cannot take itself.

        `having` is a method that a kind must have to be chosen here.
        """
        self.family = family
        self.without = without
        self.having = having

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # Any: pydantic's own signature
        handler: GetCoreSchemaHandler,
    ) -> core_schema.CoreSchema:
        choices = {name: handler.generate_schema(k.options) for name, k in self._kinds().items()}
        union = core_schema.tagged_union_schema(
            choices,
            discriminator=lambda value: value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None),
        )
        return core_schema.no_info_before_validator_function(self._named, union)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:  # Any: a JSON schema
        """Return the schema of a mapping, or of a name alone where the kind has a default for every option."""
        alone = [name for name, k in self._kinds().items() if not _needs_options(k)]
        kinds = handler(schema)
        kinds.pop("discriminator", None)
        return {"anyOf": [{"enum": alone}, kinds]}

    def model_for(self, value: object) -> type[KindOptions] | None:
        """Return the options model that a value chooses; None where it chooses none."""
        name = value.get("kind") if isinstance(value, dict) else value
        found = self._kinds().get(name) if isinstance(name, str) else None
        return found.options if found else None

    def _named(self, value: object) -> object:
        """Turn a bare name into a mapping, and refuse one that no kind has."""
        if isinstance(value, KindOptions):
            return value
        if not isinstance(value, dict | str):
            raise PydanticCustomError("kind_expected", "should be a kind's name or a mapping with `kind`")
        name = value.get("kind") if isinstance(value, dict) else value
        context = {"known": list(self._kinds()), "given": name, "key": "kind"}
        if name is None:
            raise PydanticCustomError("kind_missing", "`kind:` is missing", context | {"fitting": self._fitting(value)})
        if name not in self._kinds():
            raise PydanticCustomError("kind_unknown", "unknown kind", context)
        return {"kind": value} if isinstance(value, str) else value

    def _fitting(self, given: object) -> list[str]:
        """Return the kinds that have all options of a mapping without a kind."""
        keys = set(given) if isinstance(given, dict) else set()
        return [name for name, kind in self._kinds().items() if keys and keys <= {*kind.options.model_fields}]

    def _kinds(self) -> Mapping[str, Kind]:
        found = {name: kind for name, kind in kinds(self.family).items() if name not in self.without}
        if self.having is None:
            return found
        return {name: kind for name, kind in found.items() if hasattr(kind.target, self.having)}


def _needs_options(kind: Kind) -> bool:
    return any(field.is_required() for name, field in kind.options.model_fields.items() if name != "kind")


def _marked(module: Any) -> Callable[..., object]:  # Any: a module
    found = [
        value
        for value in vars(module).values()
        if getattr(value, "__cotdistill_kind__", False) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must mark exactly one function with @kind, not {len(found)}")
    return found[0]  # type: ignore[no-any-return]


def _option_fields(target: Callable[..., object]) -> dict[str, Any]:  # Any: pydantic's field tuples
    function = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(function, include_extras=True)
    texts = _option_texts(target)
    fields = {}
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = ... if parameter.default is parameter.empty else parameter.default
            info = FieldInfo.from_annotated_attribute(hints[name], default)
            info.description = texts.get(name)
            fields[name] = (hints[name], info)
    return fields


def _option_texts(target: Callable[..., object]) -> dict[str, str]:
    """Read `name: what it does` lines after `Options:`, its bases' first; a deeper indent goes on with the text."""
    texts: dict[str, str] = {}
    for source in reversed(inspect.getmro(target)) if inspect.isclass(target) else (target,):
        name = ""
        for line in inspect.cleandoc(source.__doc__ or "").partition("Options:\n")[2].splitlines():
            if match := re.match(r" {4}(\w+): (.+)", line):
                name = match[1]
                texts[name] = match[2]
            elif line.startswith("        ") and name:
                texts[name] += " " + line.strip()
            elif line.strip():
                break
    return texts
