"""One entry of dataset_info.json: every key that openMind and LLaMA-Factory know, and ours; a typo is an error."""

import re
from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cotdistill.data.task_entry import TaskOptions
from cotdistill.registry import Options, kinds

REFUSED_KEYS = {
    "script_url": "a loading script is foreign code; download its files and name them in `file_name`",
    "cloud_file_name": "copy the file here and name it in `file_name`",
    "ranking": "a preference set has no answer to imitate; use its chosen answers as a set of their own",
}
REFUSED_COLUMNS = {
    "images": "students here read text alone",
    "videos": "students here read text alone",
    "audios": "students here read text alone",
    "chosen": "a preference set has no answer to imitate",
    "rejected": "a preference set has no answer to imitate",
    "kto_tag": "a preference set has no answer to imitate",
}


def _refuse(data: object, keys: dict[str, str]) -> object:
    for key, why in keys.items():
        if isinstance(data, dict) and data.get(key):
            raise PydanticCustomError("refused", "cannot be read here: {why}", {"key": key, "why": why})
    return data


class Columns(Options):
    """Which key of a row holds what; a key that is not named keeps its usual name."""

    messages: str | None = None
    system: str | None = None
    tools: str | None = None
    prompt: str | None = None
    query: str | None = None
    response: str | None = None
    history: str | None = None
    question: str | tuple[str, ...] | None = None
    """The question, the columns of its parts, a text with them in braces (`{passage}\\n\\n{question}`), or a list of
    turns that ends with it; default: question, problem, query, prompt, instruction or input, whichever is there. A
    column inside of another is named by its path: `reward_model.ground_truth`, `messages.0.info.answer`. In a text with
    braces a list of texts is put as lines, a list of sentences in it as one of them."""
    reasoning: str | None = None
    """The rationale; default: reasoning, Complex_CoT, reasoning_content, thinking, rationale or chain_of_thought."""
    answer: str | None = None
    """The answer: a problem's worked answer, a trace's text after its reasoning; default: answer, response,
    completion, output, generated_solution or content."""
    generations: str | tuple[str, ...] | None = None
    """A list of answers with their reasoning in think tags, or the columns of several, each a trace of its own."""
    gold: str | None = None
    """What is right; default: gold, expected_answer, final_answer, ground_truth, reference_answer,
    reward_model.ground_truth or extra_info.ground_truth, and for problems the answer."""
    id: str | None = None
    choices: str | tuple[str, ...] | None = None
    """The options of a multiple-choice question: a list, or a column for each; gold is then a letter, a number from 0
    or an option's text."""
    group: str | None = None
    """What results are told apart by: a subject, a language."""
    images: None = None
    videos: None = None
    audios: None = None
    chosen: None = None
    rejected: None = None
    kto_tag: None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_other_kinds(cls, data: object) -> object:
        return _refuse(data, REFUSED_COLUMNS)

    @field_validator("question", "choices", "generations", mode="before")
    @classmethod
    def _one_or_several(cls, named: object) -> object:
        is_list = isinstance(named, list | tuple) and len(named) > 1 and all(isinstance(name, str) for name in named)
        if (not is_list and not isinstance(named, str | int | None)) or isinstance(named, bool):
            raise ValueError("should be a column or a list of several columns")
        return named


class Tags(Options):
    """What roles and keys are called inside a ShareGPT message."""

    role_tag: str | None = None
    content_tag: str | None = None
    user_tag: str | None = None
    assistant_tag: str | None = None
    system_tag: str | None = None
    observation_tag: str | None = None
    function_tag: str | None = None


class Entry(Options):
    """One named data set."""

    local_path: str | None = None
    """Folder of the file, relative to the registry or to the working directory; or the file itself."""
    file_name: str | tuple[str, ...] | None = None
    """File or folder under `local_path`, a pattern (`shards/*.jsonl`), or a list of these."""
    hub_url: str | None = None
    """Name on whichever hub is asked; `hf_hub_url` and `ms_hub_url` name one hub's."""
    hf_hub_url: str | None = None
    ms_hub_url: str | None = None
    om_hub_url: str | None = None
    """Name on openMind's hub, which is not asked; for openMind's own use of the registry."""
    script_url: None = None
    cloud_file_name: None = None
    ranking: Literal[False] = False
    file_sha1: str | None = None
    """Older versions of LLaMA-Factory wrote it; nothing here reads it."""
    subset: str | None = None
    split: str | None = None
    """Part of a hub's set or of a folder whose files name their splits; default: `train`."""
    folder: str | None = None
    """Folder inside the hub's repository."""
    hub_file: str | None = None
    """File inside the hub's repository, for sets that are a plain file there."""
    revision: str | None = None
    """Commit, branch or tag of the hub's repository; default: the newest."""
    num_samples: int | None = Field(None, ge=1)
    """Take the first rows only."""
    formatting: str = "alpaca"
    """Layout of its rows: a kind of `formats`."""
    columns: Columns = Columns()
    tags: Tags = Tags()
    gold: Literal["gsm8k", "yes_no"] | None = None
    """How the final answer is found in its column: `gsm8k`: what follows the last ####; `yes_no`: true is `yes` and
    false is `no`."""
    gold_pattern: str | None = None
    """The same by a regular expression with one group; its last match counts."""
    column_names: tuple[str, ...] = ()
    """Columns of a CSV or TSV file that has no header line."""
    is_object: bool = False
    """Whether the file is one JSON object whose values are the rows."""
    task: TaskOptions | None = None
    """How its problems are asked and graded where `evaluate: {tasks: …}` names this set; default: as the recipe
    asks and grades its own."""
    license: str | None = None
    """Licence of the set, by its SPDX name, for people."""
    homepage: str | None = None
    """Where the set is described, for people."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_other_kinds(cls, data: object) -> object:
        return _refuse(data, REFUSED_KEYS)

    @field_validator("file_name", mode="before")
    @classmethod
    def _files(cls, named: object) -> object:
        is_list = isinstance(named, list | tuple) and named and all(isinstance(name, str) for name in named)
        if not is_list and not isinstance(named, str | None):
            raise ValueError("should be the name of a file or folder, a pattern, or a list of these")
        return named

    @field_validator("formatting")
    @classmethod
    def _is_known(cls, formatting: str) -> str:
        if formatting not in kinds("formats"):
            context = {"known": list(kinds("formats")), "given": formatting}
            raise PydanticCustomError("formatting_unknown", "unknown formatting", context)
        return formatting

    @field_validator("gold_pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"expected a regular expression with one group, found {groups}")
        return pattern

    @model_validator(mode="after")
    def _agrees(self) -> "Entry":
        """Refuse keys that say two things at once."""
        if self.gold and self.gold_pattern:
            context = {"key": "gold_pattern"}
            raise PydanticCustomError("two_rules", "two rules for the gold answer: `gold` and this one", context)
        if self.holds == "conversations":
            for key in ("gold", "gold_pattern", "task"):
                if getattr(self, key):
                    raise PydanticCustomError(
                        "no_gold", "only problems and traces have gold answers: set `formatting`", {"key": key}
                    )
        return self

    @property
    def holds(self) -> str:
        """What its rows are: problems, traces or conversations."""
        return str(kinds("formats")[self.formatting].target.holds)  # type: ignore[attr-defined]

    @property
    def is_conversations(self) -> bool:
        """Whether its rows are conversations, to be trained on as they are."""
        return self.holds == "conversations"

    def format_options(self, *, source: str) -> dict[str, Any]:  # Any: options of a format
        """Return the options of the format that reads its rows; `source` is the set's name.

        Raises: ValueError that names a key that the format does not have.
        """
        known = set(kinds("formats")[self.formatting].options.model_fields) - {"kind"}
        named = {**self.columns.model_dump(exclude_none=True), **self.tags.model_dump(exclude_none=True)}
        rules = {"source": source, "gold_rule": self.gold, "gold_pattern": self.gold_pattern}
        named |= {key: value for key, value in rules.items() if key in known and value is not None}
        # LLaMA-Factory's entries name these also where the layout has no use for them.
        unused = {"id", "system", "tools", "query", "observation_tag", "function_tag"} - known
        for key in named:
            if key not in known and key not in unused:
                raise ValueError(f"{key}: no key of the layout `{self.formatting}`; known: {', '.join(sorted(known))}")
        taken = {column for column in named.values() if isinstance(column, str)}
        for key, option in kinds("formats")[self.formatting].options.model_fields.items():
            # `{"prompt": "input"}`: what stands under `input` otherwise has no column here.
            if key not in named and not key.endswith("_tag") and option.default in taken:
                named[key] = ""
        return {key: value for key, value in named.items() if key in known}


def formatting_of(roles: Collection[str]) -> str:
    """Return the layout that columns are named for."""
    if {"prompt", "query", "response", "history"} & set(roles) and "messages" not in roles:
        return "alpaca"
    if {"answer", "reasoning", "generations"} & set(roles):
        return "traces"
    return "openai" if "messages" in roles else "problems"
