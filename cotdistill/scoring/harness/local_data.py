"""Files of the registry for lm-eval's tasks: `data/gsm8k_test.jsonl` is asked where the task names a hub's set.

A registered set stands for a task's where both have the same name on a hub, subset and split. Prompt, metric and
filters stay the task's; what changes is where its rows come from.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cotdistill.data import Catalog, Dataset
from cotdistill.data.hub import hub_names, offline_hint
from cotdistill.data.task import PLAIN, Task
from cotdistill.data.task_entry import TaskOptions
from cotdistill.errors import RecipeFault, UserError, raise_all
from cotdistill.records import Problem
from cotdistill.scoring.harness.options import HarnessOptions, check_installed
from cotdistill.scoring.harness.tasks import Config, HarnessTask, Subtask, find_task
from cotdistill.storage.hubs import is_reachable
from cotdistill.yamlfile import nearest

log = logging.getLogger(__name__)

Row = dict[str, Any]  # Any: a foreign JSON row
HUB_KEYS = ("hf_hub_url", "ms_hub_url", "hub_url")
QUESTIONS = ("question", "problem", "prompt", "input", "text")
"""Keys under which a row has its question, in the order of asking."""


FILE_LOADERS = ("json", "csv", "parquet", "text", "arrow")
"""What a task names for its set where it has files of its own."""


class HarnessExam(dict[str, Task]):
    """The questions of each task, as far as files on this machine hold them, and the tasks of lm-eval that ask them."""

    def __init__(self, tasks: Sequence[HarnessTask], asked: Mapping[str, Task]) -> None:
        super().__init__(asked)
        self.tasks = tuple(tasks)


def open_exam(names: Sequence[str], catalog: Catalog, options: HarnessOptions) -> HarnessExam:
    """Return the tasks with their local data; a task without any is left to lm-eval, which asks its hub.

    Raises: UserError, UserErrors: lm-eval or a task is not there, or neither a file nor the hub is.
    """
    check_installed()
    tasks, faults = [], []
    for name in names:
        try:
            tasks.append(find_task(name))
        except UserError as fault:
            faults.append(fault)
    raise_all(faults)
    _check_filter(tasks, options)
    return serve(tasks, catalog, options)


def _check_filter(tasks: Sequence[HarnessTask], options: HarnessOptions) -> None:
    """Return unless no task has the filter that rows are to be judged by. Raises: RecipeFault."""
    configs = [subtask.config for task in tasks for subtask in task.subtasks]
    known = sorted({given["name"] for config in configs for given in config.get("filter_list") or ()})
    if options.filter is not None and options.filter not in known:
        hint = nearest(options.filter, known) or "these tasks have none"
        raise RecipeFault(f"no task has the filter `{options.filter}`", "evaluate.harness.filter", hint)


def serve(tasks: Sequence[HarnessTask], catalog: Catalog, options: HarnessOptions) -> HarnessExam:
    """Return the tasks with rows of local files where there are such.

    A file that holds some subjects of a task serves these alone. Raises: UserError, UserErrors.
    """
    local = _LocalData(catalog, options)
    served: list[HarnessTask] = []
    questions: dict[str, Task] = {}
    faults: dict[str, UserError] = {}
    for task in tasks:
        subtasks: list[Subtask] = []
        asked: list[Problem] = []
        for subtask in task.subtasks:
            try:
                config, rows = local.serve(subtask)
            except UserError as fault:
                # One file serves many subjects: each fault is said once.
                faults.setdefault(str(fault), fault)
                continue
            if config is not None:
                subtasks.append(subtask._replace(config=config))
                asked.extend(_problems(subtask, rows))
        served.append(task._replace(subtasks=tuple(subtasks)))
        questions[task.name] = Task(task.name, tuple(asked), _options(task.name, catalog), harness=task.name)
        if not subtasks and not faults:
            faults[task.name] = UserError(f"no file here holds a row of `{task.name}`")
        if asked and len(subtasks) < len(task.subtasks):
            log.warning("%s: its file has rows of %d of %d tasks", task.name, len(subtasks), len(task.subtasks))
        if subtasks and not asked:
            log.warning("%s: its questions are on a hub: training rows are not compared with them", task.name)
    raise_all(list(faults.values()))
    return HarnessExam(served, questions)


def _options(name: str, catalog: Catalog) -> TaskOptions:
    """Return what the registry says of a task's results; nothing where it does not know the name."""
    if name not in catalog.names():
        return PLAIN
    found = catalog.find_task(name)
    return found.entry if found else catalog.find(name).entry.task or PLAIN


def shots(config: Config, options: HarnessOptions) -> int:
    """Return how many worked examples a task is asked with; one that sets 0 keeps 0, as in lm-eval."""
    own = config.get("num_fewshot")
    return int((own if options.num_fewshot is None or own == 0 else options.num_fewshot) or 0)


class _LocalData:
    """The registry's files, read once."""

    def __init__(self, catalog: Catalog, options: HarnessOptions) -> None:
        self.catalog = catalog
        self.options = options
        self._rows: dict[str, list[Row]] = {}

    def serve(self, subtask: Subtask) -> tuple[Config | None, list[Row]]:
        """Return a task's config with its rows from files, and those that are asked.

        As it was where no file is for it; None where the file for it has no such rows. Raises: UserError.
        """
        config = subtask.config
        asked: str = config.get("test_split") or config.get("validation_split") or ""
        sets = _sets_of(config, self.catalog)
        dataset = _of_split(sets, asked, is_asked=True)
        if dataset is None:
            _check_hub(subtask, sets, asked)
            return config, []
        rows = self._read(dataset, config)
        if not rows:
            return None, []
        splits = {asked: rows}
        changes: Row = {}
        shown: str = config.get("fewshot_split") or config.get("training_split") or config.get("validation_split") or ""
        examples = _of_split(sets, shown, is_asked=False) if shown not in ("", asked) else None
        if examples is not None:
            splits[shown] = self._read(examples, config)
        elif shown not in ("", asked):
            changes = self._without_examples(subtask, shown, dataset, sets)
        return {**config, **changes, "custom_dataset": _dataset_of(splits)}, rows

    def _without_examples(self, subtask: Subtask, shown: str, dataset: Dataset, sets: Sequence[Dataset]) -> Row:
        """Return what of a config names the split of the examples. Raises: UserError where they are to be shown."""
        if count := shots(subtask.config, self.options):
            raise UserError(
                f"`{subtask.name}` shows {count} worked examples of the split `{shown}`, which no file holds",
                dataset.where,
                f"{_places(sets, shown)}, or `evaluate: {{harness: {{num_fewshot: 0}}}}`",
            )
        named = {"fewshot_split", "training_split"} & subtask.config.keys()
        return dict.fromkeys({*named, "validation_split"} if subtask.config.get("test_split") else named)

    def _read(self, dataset: Dataset, config: Config) -> list[Row]:
        """Return the rows of a task's subset, as the hub's loading script gives them."""
        if dataset.name not in self._rows:
            adapt = AS_LOADED.get(_last(config.get("dataset_path")), dict)
            self._rows[dataset.name] = [adapt(row) for _, row in dataset.read_rows()]
        rows, subset = self._rows[dataset.name], config.get("dataset_name")
        return rows if _is_subset(dataset, subset) else [row for row in rows if row.get("subject") == subset]


def _dataset_of(splits: Mapping[str, list[Row]]) -> Callable[..., Any]:  # Any: a datasets.DatasetDict
    def rows_of_local_files(**_: object) -> Any:  # Any: a datasets.DatasetDict
        from datasets import Dataset as Table
        from datasets import DatasetDict

        return DatasetDict({split: Table.from_list(rows) for split, rows in splits.items()})

    return rows_of_local_files


def _sets_of(config: Config, catalog: Catalog) -> list[Dataset]:
    """Return the registered sets with a task's name on a hub, those of its own subset before those of all."""
    wanted, subset = _last(config.get("dataset_path")), config.get("dataset_name")
    found = []
    for name in catalog.names():
        raw = next(source.data[name] for source in reversed(catalog.sources) if name in source.data)
        if wanted and isinstance(raw, dict) and any(_last(raw.get(key)) == wanted for key in HUB_KEYS):
            found.append(catalog.find(name))
    own = [dataset for dataset in found if _is_subset(dataset, subset)]
    return own or [d for d in found if d.entry.subset in (None, "all") and not d.entry.hub_file]


def _last(hub_name: object) -> str:
    """Return a hub name without its owner: hubs have copies under other ones."""
    return hub_name.rpartition("/")[2].lower() if isinstance(hub_name, str) else ""


def _of_split(sets: Sequence[Dataset], split: str, *, is_asked: bool) -> Dataset | None:
    """Return the set that a file holds a split of; one that names no split is the one that is asked."""
    fitting = (d for d in sets if d.entry.split == split or (d.entry.split is None and is_asked))
    return next((dataset for dataset in fitting if dataset.files), None)


def _is_subset(dataset: Dataset, subset: str | None) -> bool:
    """Return whether a set is a subset of a hub's, by its entry; else its rows may name theirs under `subject`."""
    file = (dataset.entry.hub_file or "").rpartition(".")[0]
    return subset in (None, dataset.entry.subset) or file.endswith(f"_{subset}")


def _check_hub(subtask: Subtask, sets: Sequence[Dataset], split: str) -> None:
    """Return if lm-eval can ask a hub for a task's rows. Raises: UserError that says which file to put where."""
    path = str(subtask.config.get("dataset_path"))
    if subtask.config.get("custom_dataset") or path in FILE_LOADERS or os.environ.get("HF_HUB_OFFLINE"):
        return
    if is_reachable("huggingface"):
        return
    hint = _places(sets, split) if sets else f'register a file with `"hf_hub_url": "{path}"`'
    where = sets[0].where if sets else ""
    raise UserError(f"`{subtask.name}` has no file here, and no hub can be reached", where, hint)


def _places(sets: Sequence[Dataset], split: str) -> str:
    """Return which files to put where."""
    fitting = [d for d in sets if d.entry.split in (None, split) and hub_names(d.entry, d.options.hub)]
    hints = [offline_hint(d.name, d.entry, d.options.hub, root=d.root) for d in fitting[:1]]
    return hints[0] if hints else f"register a file of the split `{split}`"


def _problems(subtask: Subtask, rows: Sequence[Row]) -> Iterator[Problem]:
    for number, row in enumerate(rows):
        text = next((row[key] for key in QUESTIONS if isinstance(row.get(key), str)), "")
        yield Problem(id=f"{subtask.name}/{number}", question=text, gold=str(row.get("answer")), group=subtask.group)


def _mgsm(row: Row) -> Row:
    """Return a row of a mgsm_<language>.tsv as the hub's loading script gives it."""
    if "answer_number" in row:
        return row
    number = str(row["gold"]).strip().replace(",", "")
    return {"question": row["question"], "answer": None, "answer_number": int(number), "equation_solution": None}


def _mmlu(row: Row) -> Row:
    """Return a row with its choices in one list and the right one's number, as on the hub; also from A, B, C, D."""
    choices = row["choices"] if "choices" in row else [str(row[letter]) for letter in "ABCD"]
    answer = row["answer"]
    return {**row, "choices": choices, "answer": "ABCD".index(answer) if str(answer) in "ABCD" else int(answer)}


AS_LOADED: Mapping[str, Callable[[Row], Row]] = {"mgsm": _mgsm, "mmlu": _mmlu}
"""Hub's name of a set -> what makes a row of its plain files one of its loading script."""
