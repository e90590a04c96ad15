"""dataset_info.json -> problems or conversations, from a file or a hub.

One entry, as openMind and LLaMA-Factory write it:

    "DS_r1_answer": {
        "local_path": "data", "file_name": "DS_r1_answer.json", "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system"},
        "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "user", "assistant_tag": "assistant"}}

and a set of problems:

    "gsm8k": {"hf_hub_url": "openai/gsm8k", "subset": "main", "split": "train", "formatting": "problems"}
"""

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cotdistill import registry
from cotdistill.errors import UserError
from cotdistill.records import Conversation, Problem, problem_id
from cotdistill.registry import Options
from cotdistill.rows import JsonRow, read_json_rows
from cotdistill.yamlfile import Source, load, nearest, validate

log = logging.getLogger(__name__)

REGISTRY = "dataset_info.json"


class Columns(Options):
    """Which key of a row holds what; a key that is not named keeps its usual name."""

    messages: str | None = None
    system: str | None = None
    tools: str | None = None
    prompt: str | None = None
    query: str | None = None
    response: str | None = None
    history: str | None = None
    question: str | None = None
    answer: str | None = None
    gold: str | None = None
    id: str | None = None


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
    file_name: str | None = None
    hub_url: str | None = None
    """Name on a hub; `hf_hub_url`, `ms_hub_url` and `om_hub_url` say which one."""
    hf_hub_url: str | None = None
    ms_hub_url: str | None = None
    om_hub_url: str | None = None
    subset: str | None = None
    split: str | None = None
    folder: str | None = None
    """Folder inside the hub's repository."""
    num_samples: int | None = Field(None, ge=1)
    """Take the first rows only."""
    formatting: Literal["alpaca", "sharegpt", "openai", "problems"] = "alpaca"
    columns: Columns = Columns()
    tags: Tags = Tags()


@dataclass(frozen=True)
class Catalog:
    """All registries that a run can see; the later one wins a name."""

    sources: tuple[Source, ...]

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted({name for source in self.sources for name in source.data})

    def find(self, name: str) -> "Dataset":
        """Return a registered data set, or the file of that name.

        Raises: UserError.
        """
        for source in reversed(self.sources):
            if name in source.data:
                entry = validate(source, Entry, prefix=(name,))
                return Dataset(name, entry, source.where((name,)), source.path.parent)
        path = Path(name)
        if path.is_file():
            return Dataset(name, Entry(local_path=name, formatting="problems"), name, Path())
        if path.suffix in {".json", ".jsonl"}:
            raise UserError(f"no file `{name}`", hint="paths are relative to the working directory")
        looked = ", ".join(str(source.path) for source in self.sources) or f"no {REGISTRY} was found"
        raise UserError(
            f"data set `{name}` is not registered ({looked})",
            hint=nearest(name, self.names()) or f"add it to {REGISTRY}",
        )


@dataclass(frozen=True)
class Dataset:
    """A data set, found and not yet read."""

    name: str
    entry: Entry
    where: str
    """`file:line: name` of the entry, for messages."""
    root: Path
    """Folder that `local_path` is relative to."""

    @property
    def file(self) -> Path | None:
        """The file on disk; None for a data set of a hub.

        Raises: UserError where the file named is not there.
        """
        entry = self.entry
        if entry.local_path is None and entry.file_name is None:
            return None
        local = Path(entry.local_path or "", entry.file_name or "")
        for path in (self.root / local, local):
            if path.is_file():
                return path
        raise UserError(f"no file at {self.root / local}", self.where, "put it there or mend `local_path`, `file_name`")

    def check(self) -> None:
        """Raise UserError where the data set certainly cannot be read."""
        hubs = (self.entry.hub_url, self.entry.hf_hub_url, self.entry.ms_hub_url, self.entry.om_hub_url)
        if self.file is None and not any(hubs):
            raise UserError("names no place", self.where, "add `local_path` and `file_name`, or `hub_url`")

    def rows(self, *, split: str | None = None) -> Iterator[tuple[str, JsonRow]]:
        """Yield place and object of every row."""
        self.check()
        rows = read_json_rows(self.file) if self.file else _hub_rows(self, split=split)
        return itertools.islice(rows, self.entry.num_samples)

    def conversations(self) -> Iterator[Conversation]:
        """Yield the rows as conversations.

        Raises: UserError that names file, line and key.
        """
        if self.entry.formatting == "problems":
            raise UserError("holds problems, not conversations", self.where, "set `formatting`")
        layout = registry.make("formats", self.entry.formatting, **_layout_options(self.entry))
        for number, (where, row) in enumerate(self.rows()):
            try:
                yield layout.decode(row, str(row.get("id", number)))
            except ValueError as error:
                raise UserError(str(error), where) from None

    def problems(self, *, split: str | None = None) -> Iterator[Problem]:
        """Yield the rows as problems, each question once.

        Raises: UserError that names file, line and key.
        """
        seen: set[str] = set()
        doubles = 0
        for where, row in self.rows(split=split):
            problem = _problem(row, where, self.entry.columns)
            if problem.question in seen:
                doubles += 1
                continue
            seen.add(problem.question)
            yield problem
        if doubles:
            log.warning("%s: %d questions stand more than once and are asked once", self.name, doubles)


def open_catalog(folders: Iterable[Path]) -> Catalog:
    """Read the registries that stand in these folders, each folder once."""
    unique = {folder.resolve(): folder for folder in folders}
    paths = [folder / REGISTRY for folder in unique.values() if (folder / REGISTRY).is_file()]
    return Catalog(tuple(load(path) for path in paths))


def _problem(row: JsonRow, where: str, columns: Columns) -> Problem:
    question_key = columns.question or ("question" if "question" in row else "problem")
    question = row.get(question_key)
    if not isinstance(question, str) or not question.strip():
        key = columns.question or "question"
        raise UserError("a problem needs its question as text", f"{where}: {key}", f"keys here: {', '.join(row)}")
    gold = row.get(columns.gold or "gold")
    # Where a rationale stands beside it, `answer` is what a teacher said and not what is right.
    if gold is None and (columns.answer or "reasoning" not in row):
        answer = row.get(columns.answer or "answer")
        # GSM8K's answers are worked out, with the final one behind four hashes.
        gold = None if answer is None else str(answer).rpartition("####")[2]
    row_id = row.get(columns.id or "id")
    return Problem(
        id=problem_id(question) if row_id is None else str(row_id),
        question=question,
        gold=None if gold is None else str(gold).strip(),
    )


def _layout_options(entry: Entry) -> dict[str, str]:
    named = {**entry.columns.model_dump(exclude_none=True), **entry.tags.model_dump(exclude_none=True)}
    return {key: value for key, value in named.items() if key not in {"question", "answer", "gold", "id"}}


def _hub_rows(dataset: Dataset, *, split: str | None) -> Iterator[tuple[str, JsonRow]]:
    entry = dataset.entry
    name = entry.hf_hub_url or entry.hub_url
    try:
        if name:
            rows = _from_hugging_face(name, entry, split=split or entry.split or "train")
        else:
            rows = _from_modelscope(entry, split=split or entry.split or "train")
    except ImportError as error:
        raise UserError(
            f"reading a hub needs the package `{error.name}`",
            dataset.where,
            "pip install 'cotdistill[train]'",
        ) from None
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"the hub could not be read: {reason}",
            dataset.where,
            "on a closed network set `local_path` and `file_name` of this entry to a downloaded copy",
        ) from None
    for number, row in enumerate(rows):
        yield f"{dataset.name}[{number}]", dict(row)


def _from_hugging_face(name: str, entry: Entry, *, split: str) -> Any:  # Any: a datasets.Dataset
    import datasets

    return datasets.load_dataset(name, name=entry.subset, data_dir=entry.folder, split=split)


def _from_modelscope(entry: Entry, *, split: str) -> Any:  # Any: a datasets.Dataset
    from modelscope.msdatasets import MsDataset

    return MsDataset.load(entry.ms_hub_url or entry.om_hub_url, subset_name=entry.subset, split=split)
