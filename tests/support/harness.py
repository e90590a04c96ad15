"""Small local files for lm-eval's tasks, the task files that name them, and a student that answers with numbers."""

import itertools
import json
from pathlib import Path

LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")
SUBJECTS = {"anatomy": 7, "astronomy": 12}
"""Subject -> its questions: two sizes, so that a weighted mean differs from an unweighted one."""


def write_registry(folder: Path) -> None:
    """Write dataset_info.json and the files under data/: gsm8k, mgsm in all languages, two subjects of mmlu."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    registry = {
        "gsm8k": {"hf_hub_url": "openai/gsm8k", "subset": "main", "split": "train", "formatting": "problems"},
        "gsm8k_test": {"hf_hub_url": "openai/gsm8k", "subset": "main", "split": "test", "formatting": "problems"},
        "mmlu": {"hf_hub_url": "cais/mmlu", "subset": "all", "split": "test", "formatting": "problems"},
    }
    for language in LANGUAGES:
        registry[f"mgsm_{language}"] = {
            "hf_hub_url": "juletxara/mgsm",
            "hub_file": f"mgsm_{language}.tsv",
            "column_names": ["question", "gold"],
            "formatting": "problems",
        }
        lines = [f"{language} {n}: 70 + 2?\t{72 if n % 2 else n}" for n in range(1, 4)]
        (data / f"mgsm_{language}.tsv").write_text("\n".join(lines) + "\n")
    (folder / "dataset_info.json").write_text(json.dumps(registry))
    write_rows(data / "gsm8k.jsonl", [_sum(n, n + 5) for n in range(8)])
    write_rows(data / "gsm8k_test.jsonl", [_sum(n, 72 if n % 3 else n) for n in range(10)])
    write_rows(data / "mmlu.jsonl", [_question(s, n) for s, count in SUBJECTS.items() for n in range(count)])


def write_rows(path: Path, rows: list) -> None:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _sum(number: int, gold: int) -> dict:
    return {"question": f"What is the {number}th sum, {number} + 5?", "answer": f"It is so.\n#### {gold}"}


def _question(subject: str, number: int) -> dict:
    choices = [f"{word} {number * 7 % 5}" for word in ("ant", "bee", "cat", "dog")]
    return {"question": f"Which {subject} {number}?", "subject": subject, "choices": choices, "answer": number % 4}


def write_task_files(folder: Path, harness: Path, data: Path) -> None:
    """Write lm-eval's own tasks under other names, asked of the local files: what `--include_path` takes."""
    folder.mkdir()
    rows = folder / "rows"
    rows.mkdir()

    def task(name: str, include: str, files: dict) -> None:
        said = {"include": str(harness / "tasks" / include), "task": name, "dataset_path": "json"}
        said |= {"dataset_name": None, "dataset_kwargs": {"data_files": {k: str(v) for k, v in files.items()}}}
        (folder / f"{name}.yaml").write_text(json.dumps(said))

    files = {"train": data / "gsm8k.jsonl", "test": data / "gsm8k_test.jsonl"}
    task("local_gsm8k", "gsm8k/gsm8k.yaml", files)
    for language in LANGUAGES:
        given = [line.split("\t") for line in (data / f"mgsm_{language}.tsv").read_text().splitlines()]
        write_rows(
            rows / f"{language}.jsonl",
            [{"question": q, "answer": None, "answer_number": int(g), "equation_solution": None} for q, g in given],
        )
        # lm-eval wants a training split, which it does not show.
        split = rows / f"{language}.jsonl"
        task(
            f"local_mgsm_direct_{language}",
            f"mgsm/direct/mgsm_direct_{language}.yaml",
            {"train": split, "test": split},
        )
    questions = [json.loads(line) for line in (data / "mmlu.jsonl").read_text().splitlines()]
    for subject in SUBJECTS:
        split = rows / f"{subject}.jsonl"
        write_rows(split, [row for row in questions if row["subject"] == subject])
        task(f"local_mmlu_{subject}", f"mmlu/default/mmlu_{subject}.yaml", {"test": split, "dev": split})
    group = {"group": "local_mmlu", "task": [f"local_mmlu_{subject}" for subject in SUBJECTS]}
    group["aggregate_metric_list"] = [{"metric": "acc", "weight_by_size": True}]
    (folder / "local_mmlu.yaml").write_text(json.dumps(group))


def make_number_student(base: Path, folder: Path) -> Path:
    """Write a copy of a student that says ` 72` after a colon, then ends: some golds are its answer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    embeddings = model.get_input_embeddings().weight.detach()
    model.config.tie_word_embeddings = False
    head = torch.nn.Linear(embeddings.shape[1], embeddings.shape[0], bias=False)
    said = [*(tokenizer.convert_tokens_to_ids(token) for token in (":", "7", "2")), tokenizer.eos_token_id]
    with torch.no_grad():
        head.weight.copy_(embeddings)
        for before, after in itertools.pairwise(said):
            head.weight[after] = 50 * embeddings[before]
    model.lm_head = head
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
