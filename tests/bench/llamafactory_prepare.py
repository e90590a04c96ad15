"""Runs in an environment that holds LLaMA-Factory: loads a registered data set and prepares it for SFT, as it would.

    python llamafactory_prepare.py FOLDER DATASET TOKENIZER CUTOFF_LEN

FOLDER holds dataset_info.json. Prints {"rows", "tokens", "seconds", "first": the first row decoded}.
"""

import json
import sys
import tempfile
import time

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from transformers import AutoTokenizer


def main(folder: str, dataset: str, tokenizer_folder: str, cutoff_len: int) -> None:
    with tempfile.TemporaryDirectory() as output:
        model_args, data_args, training_args, _, _ = get_train_args(
            {
                "model_name_or_path": tokenizer_folder,
                "stage": "sft",
                "do_train": True,
                "finetuning_type": "full",
                "dataset": dataset,
                "dataset_dir": folder,
                "template": "qwen",
                "cutoff_len": cutoff_len,
                "overwrite_cache": True,
                "preprocessing_num_workers": 2,
                "output_dir": output,
                "bf16": False,
                "use_cpu": True,
                "report_to": "none",
            }
        )
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
        template = get_template_and_fix_tokenizer(tokenizer, data_args)
        started = time.perf_counter()
        rows = get_dataset(template, model_args, data_args, training_args, stage="sft", tokenizer=tokenizer)
        seconds = time.perf_counter() - started
        train = rows["train_dataset"]
        tokens = sum(map(len, train["input_ids"]))
        first = tokenizer.decode(train[0]["input_ids"])
        labels = [t for t in train[0]["labels"] if t >= 0]
        print(
            json.dumps(
                {
                    "rows": len(train),
                    "tokens": tokens,
                    "seconds": seconds,
                    "first": first,
                    "supervised": tokenizer.decode(labels),
                }
            )
        )


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
