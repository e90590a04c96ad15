"""Names of transformers' own training options, read from its source: importing it takes seconds."""

import ast
import importlib.util
from functools import cache
from pathlib import Path

OURS = {
    "average_tokens_across_devices": "the loss is always divided by the tokens of all devices",
    "do_eval": "a recipe's `evaluate:` section measures the student",
    "do_predict": "a recipe's `evaluate:` section measures the student",
    "do_train": "the `train:` section trains",
    "enable_jit_checkpoint": "the launcher handles stop signals",
    "eval_strategy": "a recipe's `evaluate:` section measures the student",
    "label_names": "labels are made here",
    "load_best_model_at_end": "a recipe's `evaluate:` section measures the student",
    "local_rank": "the launcher sets it",
    "logging_nan_inf_filter": "a loss that is not a number stops the training",
    "remove_unused_columns": "columns are made here",
    "resume_from_checkpoint": "a stopped training goes on from its newest checkpoint by itself",
    "save_only_model": "a stopped training cannot go on without the optimiser's state",
    "seed": "write `seed:` at the top of the recipe",
    "use_cpu": "a CPU is used where there is no other device",
}
"""Options of transformers that a recipe cannot set, and why."""

LEAVE_WEIGHTS = frozenset(
    {
        *("logging_first_step", "logging_strategy", "log_level", "log_level_replica"),
        *("log_on_each_node", "disable_tqdm", "report_to", "run_name", "project", "trackio_space_id"),
        *("trackio_bucket_id", "trackio_static_space_id", "skip_memory_metrics", "include_num_input_tokens_seen"),
        *("save_strategy", "save_on_each_node", "ddp_timeout"),
        *("push_to_hub", "hub_token", "hub_private_repo", "hub_model_id", "hub_strategy", "hub_always_push"),
        *("hub_revision", "dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers"),
        *("dataloader_prefetch_factor", "dataloader_multiprocessing_context"),
    }
)
"""Options of transformers that leave the weights as they are, beside those that TrainOptions marks NOT_IN_KEY."""


@cache
def read_trainer_keys() -> frozenset[str]:
    """Return the fields of `transformers.TrainingArguments`; empty where transformers is not installed."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return frozenset()
    source = Path(spec.origin).with_name("training_args.py").read_text(encoding="utf-8")
    return frozenset(
        statement.target.id
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "TrainingArguments"
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )
