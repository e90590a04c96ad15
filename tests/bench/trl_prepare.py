"""Runs in an environment that holds TRL: prepares conversations for SFT, as its trainer does before the first step.

    python trl_prepare.py SET.json TOKENIZER ROWS

Prints {"version", "tokens", "seconds"}.
"""

import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

import trl
from datasets import Dataset
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

ROLES = {"user": "user", "assistant": "assistant"}


def messages(row: dict) -> list[dict]:
    turns = [{"role": ROLES[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
    return [{"role": "system", "content": row["system"]}, *turns]


def main(path: str, tokenizer_folder: str, rows: str) -> None:
    found = itertools.islice(json.loads(Path(path).read_text(encoding="utf-8")), int(rows))
    conversations = [messages(row) for row in found]
    data = Dataset.from_list([{"prompt": turns[:-1], "completion": turns[-1:]} for turns in conversations])
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=1, **sizes))
    with tempfile.TemporaryDirectory() as output:
        options = {"report_to": "none", "use_cpu": True, "max_length": 4096, "completion_only_loss": True}
        config = trl.SFTConfig(output_dir=output, **options)
        start = time.perf_counter()
        trainer = trl.SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)
        seconds = time.perf_counter() - start
        tokens = sum(len(ids) for ids in trainer.train_dataset["input_ids"])
    print(json.dumps({"version": trl.__version__, "tokens": tokens, "seconds": seconds}))


main(*sys.argv[1:])
