"""Runs in an environment that holds transformers, or TRL too: trains on token rows as the package does by itself.

    python other_trainers.py transformers|trl ROWS.json BASE BATCH EPOCHS

ROWS.json is a list of {"input_ids", "labels"}. Prints {"version", "seconds": [those of each step]}.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


class Clock(TrainerCallback):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_begin(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())


def plain_trainer(rows, model, tokenizer, options):
    """Return transformers' own trainer: rows filled up to one length, the loss of the logits of every place."""
    import transformers

    collator = DataCollatorForSeq2Seq(tokenizer, pad_to_multiple_of=8)
    arguments = TrainingArguments(**options)
    return transformers.__version__, Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collator)


def trl_trainer(rows, model, tokenizer, options):
    """Return TRL's trainer at its best: rows end to end without filling, its loss in chunks (`nll`, the default)."""
    import trl
    from datasets import Dataset

    config = trl.SFTConfig(**options, max_length=None, padding_free=True)
    data = Dataset.from_list(rows)
    return trl.__version__, trl.SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)


def main(package: str, rows: str, base: str, batch: int, epochs: int) -> None:
    clock = Clock()
    make = {"transformers": plain_trainer, "trl": trl_trainer}[package]
    options = {"per_device_train_batch_size": batch, "num_train_epochs": epochs, "learning_rate": 1e-5}
    options |= {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "optim": "adamw_torch"}
    options |= {"report_to": "none", "save_strategy": "no", "logging_steps": 1, "disable_tqdm": True}
    with tempfile.TemporaryDirectory() as output:
        version, trainer = make(
            json.loads(Path(rows).read_text()),
            AutoModelForCausalLM.from_pretrained(base),
            AutoTokenizer.from_pretrained(base),
            options | {"output_dir": output},
        )
        trainer.add_callback(clock)
        trainer.train()
    seconds = [end - start for start, end in zip(clock.ends, clock.ends[1:], strict=False)]
    print(json.dumps({"version": version, "seconds": seconds}))


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
