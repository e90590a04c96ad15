"""How a task is described in dataset_info.json: what it asks, how, and who grades it.

A task of several sets is an entry of its own, whose problems are told apart by the group that each set stands for:

    "mgsm_direct": {"formatting": "task", "sets": {"de": "mgsm_de", "en": "mgsm_en"}, "verifier": "numeric",
                    "prompt": {"de": "{question} …", "en": "{question} …"}, "languages": true, "clusters": true}

A set that is a task by its own name says the same under `task`:

    "gsm8k": {"split": "train", …, "task": {"sets": "gsm8k_test"}}
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from cotdistill.registry import KindOptions, OneOf, Options

FORMATTING = "task"
"""Of an entry that is a task and no data set."""

ANY = ""
"""The group of what has none."""

QUESTION, CHOICES = "{question}", "{choices}"


class TaskOptions(Options):
    """What a task asks, how, and who grades it."""

    sets: dict[str, tuple[str, ...]] = {}
    """Its problem sets: a name, a list, or a mapping of group to name or list; default: the entry itself."""
    group: str | None = None
    """Column that holds the group of a problem, where not the sets tell it."""
    verifier: Annotated[KindOptions, OneOf("verifiers", without=("judge",))] | None = None
    """Who grades it; default: the recipe's verifier, which alone may ask a judge."""
    prompt: dict[str, str] = {}
    """What is asked, a template or one for each group: {question} and {choices} are replaced, every other brace stays;
    default: the question as it is, its options below."""
    shots: int = Field(0, ge=0)
    """Worked examples before each question: the first rows of `shots_from` in the question's group."""
    shots_from: str | None = None
    """Set of the examples: traces, or problems with their gold answers."""
    general: bool = False
    """Whether it asks for what no training here teaches: a drop means that the student forgot."""
    languages: bool = False
    """Whether its groups are languages (ISO 639-1): answers are read, and thoughts told, in them."""
    clusters: bool = False
    """Whether its sets are translations of each other, row by row: rows of one number are no independent problems."""

    @field_validator("sets", mode="before")
    @classmethod
    def _by_group(cls, sets: object) -> object:
        named = sets if isinstance(sets, Mapping) else {ANY: sets}
        return {group: [found] if isinstance(found, str) else found for group, found in named.items()}

    @field_validator("prompt", mode="before")
    @classmethod
    def _for_groups(cls, prompt: object) -> object:
        return {ANY: prompt} if isinstance(prompt, str) else prompt

    @field_validator("prompt")
    @classmethod
    def _asks(cls, prompt: dict[str, str]) -> dict[str, str]:
        for text in prompt.values():
            if QUESTION not in text:
                raise ValueError(f"{QUESTION} is missing")
        return prompt

    @model_validator(mode="after")
    def _agrees(self) -> "TaskOptions":
        """Refuse keys that do not go together."""
        if self.sets and ANY not in self.sets and self.prompt and ANY not in self.prompt:
            left = sorted(self.sets.keys() ^ self.prompt.keys())
            if left:
                raise ValueError(f"`sets` and `prompt` have other groups: {', '.join(left)}")
        if (self.languages or self.clusters) and not self.has_groups:
            raise ValueError("`languages` and `clusters` need groups: a mapping in `sets`, or `group`")
        if bool(self.shots) != (self.shots_from is not None):
            raise ValueError("`shots` and `shots_from` go together")
        return self

    @property
    def has_groups(self) -> bool:
        """Whether its problems are told apart by a group."""
        return self.group is not None or any(self.sets)

    def key_options(self, file: Callable[[Path], Any] = str) -> dict[str, Any]:  # Any: JSON values
        """Return what decides the grading and the asking beside the problems; empty where it says nothing."""
        verifier = {"verifier": self.verifier.key_options(file)} if self.verifier else {}
        said = self.model_dump(mode="json", include={"prompt", "languages", "clusters"}, exclude_defaults=True)
        return {**said, **verifier}


class TaskEntry(TaskOptions):
    """One named task."""

    formatting: Literal["task"]
    harness: str | None = None
    """Name in lm-evaluation-harness, for a task that is asked in `evaluate: {mode: harness}` alone."""
    license: str | None = None
    """Licence of what it asks, by its SPDX name, for people."""
    homepage: str | None = None
    """Where it is described, for people."""

    @model_validator(mode="after")
    def _has_sets(self) -> "TaskEntry":
        if not self.sets and self.harness is None:
            raise ValueError("a task needs `sets`")
        return self
