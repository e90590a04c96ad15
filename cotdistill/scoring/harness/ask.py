"""Calls lm-eval: one call for all tasks of a checkpoint, so that its batches are those of the `lm_eval` command."""

import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cotdistill import adapters
from cotdistill.errors import RecipeFault, UserError
from cotdistill.scoring.harness.local_data import HarnessExam
from cotdistill.scoring.harness.options import DEFAULT_MAX_GEN_TOKS, HarnessOptions
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.keys import key_of
from cotdistill.storage.origin import Origin

if TYPE_CHECKING:
    from lm_eval.api.task import Task
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

Json = Any  # Any: a JSON value

RESULTS = "harness.json"
"""lm-eval's results as they came, without the single answers, which are rows."""
ANSWERS = "harness"
"""Folder of the answers that lm-eval keeps while it works; a second start goes on with them."""


ANY_ORIGIN = Origin()
QUIET = ("lm_eval.api.task", "lm_eval.evaluator")
"""Loggers that warn of every option that is given, for each task."""


@dataclass(frozen=True)
class Student:
    """Whom lm-eval asks."""

    model: str
    """Folder, an adapter's included, or hub name."""
    fingerprint: str
    """What tells its weights from others."""
    origin: Origin = ANY_ORIGIN
    batch_size: int | str = 1
    """Requests answered at a time; `auto` and `auto:N` as lm-eval has them."""
    device: str | None = None
    """As `cpu`, `npu:0`; None: the accelerator where there is one."""


class Answered(NamedTuple):
    """What lm-eval returns."""

    results: Mapping[str, Json]
    """All but the samples."""
    samples: Mapping[str, list[Mapping[str, Json]]]
    """Task -> one row per question and filter."""
    tokens: "TokenCount"
    table: str
    """The results as the `lm_eval` command prints them."""


@dataclass(frozen=True)
class TokenCount:
    """Counts a text's tokens as the student's tokenizer splits it."""

    tokenizer: Any  # Any: transformers' tokenizers are not typed

    def __call__(self, text: str) -> int:
        """Return the number of tokens."""
        return len(self.tokenizer.encode(text, add_special_tokens=False))


def ask(
    exam: HarnessExam, student: Student, options: HarnessOptions, *, limit: int | None, folder: Path | None
) -> Answered:
    """Ask all tasks and return what lm-eval says; `folder` gets its answers as they come, and its results.

    Raises: UserError: a task's data or the model cannot be loaded.
    """
    import lm_eval
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    # What lm-eval and its bars print is no result of the command.
    with contextlib.redirect_stdout(sys.stderr):
        # Data before weights: what is missing is said at once.
        manager = TaskManager(include_defaults=False)
        tasks = _load_tasks(exam, manager)
        lm = _load_model(student, options)
        _check_room(lm, exam, options)
        answered = lm_eval.simple_evaluate(
            model=lm,
            tasks=tasks,
            # It would read all its files of tasks for one of its own.
            task_manager=manager,
            num_fewshot=options.num_fewshot,
            batch_size=student.batch_size,
            limit=limit,
            use_cache=str(_cache(folder, student, options)) if folder else None,
            apply_chat_template=options.apply_chat_template,
            fewshot_as_multiturn=options.apply_chat_template,
            gen_kwargs=_generation(options),
        )
    samples = answered.pop("samples")
    if folder is not None:
        write_text(folder / RESULTS, _as_json(answered))
    return Answered(answered, samples, TokenCount(lm.tokenizer), make_table(answered))


def _as_json(results: Mapping[str, Json]) -> str:
    from lm_eval.utils import handle_non_serializable

    return json.dumps(results, indent=1, ensure_ascii=False, default=handle_non_serializable) + "\n"


def _cache(folder: Path, student: Student, options: HarnessOptions) -> Path:
    """Return the place of the answers: lm-eval's key of an answer is prompt and limits, without the model."""
    from importlib.metadata import version

    who = key_of([student.fingerprint, options.think_end_token, version("lm_eval")])
    return folder / ANSWERS / who[:16] / "answers"


def _generation(options: HarnessOptions) -> dict[str, Json] | None:
    given = {"max_gen_toks": options.max_gen_toks, "until": list(options.until) if options.until is not None else None}
    return {key: value for key, value in given.items() if value is not None} or None


def _load_tasks(exam: HarnessExam, manager: "TaskManager") -> "list[Task]":
    """Return lm-eval's tasks with their rows. Raises: UserError."""
    # Two names may share a task: it is asked once.
    wanted = {subtask.name: subtask for task in exam.tasks for subtask in task.subtasks}
    loaded: list[Task] = []
    for name, subtask in wanted.items():
        try:
            # lm-eval puts other values into what it is given.
            loaded.extend(manager.load([dict(subtask.config)])["tasks"].values())
        except (OSError, ValueError, KeyError, IndexError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise UserError(f"the rows of `{name}` cannot be loaded: {first_line}") from None
    return loaded


def _check_room(lm: "HFLM", exam: HarnessExam, options: HarnessOptions) -> None:
    """Return if the model's context holds an answer and a prompt: lm-eval would stop later, with an assertion.

    Raises: RecipeFault.
    """
    for subtask in (subtask for task in exam.tasks for subtask in task.subtasks):
        own = (subtask.config.get("generation_kwargs") or {}).get("max_gen_toks", DEFAULT_MAX_GEN_TOKS)
        wanted = options.max_gen_toks or own
        is_generated = subtask.config.get("output_type", "generate_until") == "generate_until"
        if is_generated and lm.backend == "causal" and wanted >= lm.max_length:
            raise RecipeFault(
                f"`{subtask.name}` asks for {wanted} tokens, and the model's context holds {lm.max_length}",
                "evaluate.harness.max_gen_toks",
                "set fewer",
            )


def _load_model(student: Student, options: HarnessOptions) -> "HFLM":
    """Return lm-eval's model; an adapter is added to its base's weights, as where our own sampler asks it.

    Raises: UserError.
    """
    import torch
    from lm_eval.models.huggingface import HFLM

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    device = student.device or (f"{found.type}:0" if found else "cpu")
    arguments: dict[str, Json] = {
        "batch_size": student.batch_size,
        "think_end_token": options.think_end_token,
        "trust_remote_code": student.origin.trust_remote_code,
    }
    try:
        if not adapters.is_adapter(Path(student.model)):
            revision = student.origin.revision or "main"
            return HFLM(pretrained=student.model, revision=revision, device=device, **arguments)
        base = adapters.base_of(Path(student.model))
        pinned = Origin(base.revision, student.origin.trust_remote_code)
        pinned.check_code(base.model)
        weights = adapters.merged(Path(student.model), **pinned.arguments).to(device)
        return HFLM(pretrained=weights, tokenizer=student.model, **arguments)
    except (OSError, ValueError) as error:
        raise UserError(f"{student.model} cannot be loaded: {str(error).strip().partition(chr(10))[0]}") from None
