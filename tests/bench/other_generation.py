"""Let another package's way of generating answer prompts: `PYTHON other_generation.py PACKAGE MODEL PROMPTS BATCH MOST`.

PROMPTS is a JSON list of texts, BATCH how many are answered at a time, MOST the longest answer in tokens.
Prints {"seconds": 12.3, "tokens": [17, …], "version": "…"}: tokens per prompt, the end included.
"""

import json
import sys
import time
from pathlib import Path

import torch


def by_transformers(model: str, prompts: list[str], batch: int, most: int) -> dict:
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    weights = AutoModelForCausalLM.from_pretrained(model, dtype="auto").eval()
    tokens = [0] * len(prompts)
    started = time.perf_counter()
    order = sorted(range(len(prompts)), key=lambda n: len(tokenizer.encode(prompts[n])), reverse=True)
    for at in range(0, len(order), batch):
        chosen = order[at : at + batch]
        given = tokenizer([prompts[n] for n in chosen], padding=True, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            output = weights.generate(**given, max_new_tokens=most, do_sample=False)
        for n, row in zip(chosen, output[:, given["input_ids"].shape[1] :].tolist(), strict=True):
            tokens[n] = _until_end(row, tokenizer.eos_token_id)
    return {"seconds": time.perf_counter() - started, "tokens": tokens, "version": transformers.__version__}


def _until_end(row: list[int], end: int) -> int:
    return row.index(end) + 1 if end in row else len(row)


def by_lm_eval(model: str, prompts: list[str], batch: int, most: int) -> dict:
    from importlib.metadata import version

    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    backend = HFLM(pretrained=model, batch_size=batch, device="cpu", dtype="auto")
    end = backend.tokenizer.eos_token
    options = {"until": [end], "max_gen_toks": most, "do_sample": False}
    asked = [Instance("generate_until", {}, (prompt, dict(options)), n) for n, prompt in enumerate(prompts)]
    started = time.perf_counter()
    answers = backend.generate_until(asked, disable_tqdm=True)
    seconds = time.perf_counter() - started
    tokens = [len(backend.tok_encode(answer, add_special_tokens=False)) + 1 for answer in answers]
    return {"seconds": seconds, "tokens": tokens, "version": version("lm_eval")}


if __name__ == "__main__":
    package, model, prompts, batch, most = sys.argv[1:]
    answer = {"transformers": by_transformers, "lm_eval": by_lm_eval}[package]
    print(json.dumps(answer(model, json.loads(Path(prompts).read_text()), int(batch), int(most))))
