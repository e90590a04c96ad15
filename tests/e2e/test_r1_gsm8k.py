"""The recipe for recorded DeepSeek-R1 answers, on a small file of the same shape."""

import json
import shutil

import pytest


@pytest.mark.slow
def test_recorded_answers_train_a_student_under_zero_2_on_two_processes(call, tmp_path, repository, tokenizer_folder):
    shutil.copytree(repository / "examples", tmp_path / "examples")
    rows = [
        {
            "id": f"p{n}",
            "question": f"Ann has {n} clips and buys 7 more. How many has she?",
            "gold": str(n + 7),
            "reasoning": f"Okay, {n} and 7 more.\n\nThat makes {n + 7}.",
            "answer": f"She has **{n + 7 + (n == 5)}** clips.",
        }
        for n in range(12)
    ]
    traces = tmp_path / "traces.jsonl"
    traces.write_text("\n".join(map(json.dumps, rows)))
    arguments = ("--set", f"teacher.path={traces}", "--set", f"student.model={tokenizer_folder}")
    code, _, err = call("run", "examples/r1_gsm8k/recipe.yaml", *arguments, "--set", "train.max_steps=3")
    assert code == 0, err
    run = tmp_path / "runs" / "r1_gsm8k"

    rejected = [json.loads(line) for line in (run / "2-filter" / "rejected.jsonl").read_text().splitlines()]
    assert [(r["row"]["problem"]["id"], r["kind"]) for r in rejected] == [("p5", "wrong")]

    first, *others = json.loads((run / "3-convert" / "sharegpt.json").read_text())
    assert len(others) == 10
    assert first["system"].startswith("Your role as an assistant involves")
    assert first["conversations"][1]["value"] == (
        "<|begin_of_thought|>\n\nOkay, 0 and 7 more.\n\nThat makes 7.<|end_of_thought|>\n\n"
        "<|begin_of_solution|>\n\nShe has **7** clips.<|end_of_solution|>"
    )

    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(run / "4-train" / "checkpoint")
    tokenizer = AutoTokenizer.from_pretrained(run / "4-train" / "checkpoint")
    prompt = tokenizer("What is 3 + 7?", return_tensors="pt")
    assert model.generate(**prompt, max_new_tokens=4).shape[1] > prompt["input_ids"].shape[1]
