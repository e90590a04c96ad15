"""A flat openMind recipe and data set, verbatim but for the model's folder and the number of steps."""

import json
import shutil

import pytest
import yaml

from tests.support.openmind import PUBLISHED, VERBATIM

ENTRY = {
    "DS_r1_answer": {
        "local_path": "data",
        "file_name": "DS_r1_answer.json",
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system"},
        "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "user", "assistant_tag": "assistant"},
    }
}


@pytest.fixture
def work(tmp_path, base, repository):
    shutil.copytree(repository / "examples" / "deepspeed", tmp_path / "examples" / "deepspeed")
    (tmp_path / "dataset_info.json").write_text(json.dumps(ENTRY, indent=1))
    (tmp_path / "data").mkdir()
    rows = [
        {
            "system": "Think, then answer.",
            "conversations": [
                {"from": "user", "value": f"What is {n} + 7?"},
                {"from": "assistant", "value": f"<|begin_of_thought|>\n\n{n} + 7 = {n + 7}<|end_of_thought|>"},
            ],
        }
        for n in range(16)
    ]
    rows.append({"conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "7 " * 3000}]})
    (tmp_path / "data" / "DS_r1_answer.json").write_text(json.dumps(rows))
    recipe = VERBATIM.replace("Qwen/Qwen2.5-7B-Instruct", base).replace("max_steps: 125", "max_steps: 4")
    (tmp_path / "recipe.yaml").write_text(recipe.replace("output_dir: out", "output_dir: ./output"))
    return tmp_path


@pytest.mark.slow
def test_the_verbatim_recipe_trains_on_two_processes_to_a_checkpoint_that_loads(cli, work):
    done = cli("train", "recipe.yaml", cwd=work, env={"NPROC_PER_NODE": "2"})
    assert done.returncode == 0, done.stderr
    assert "1 of 17 rows are longer than cutoff_len 1024" in done.stderr, "what is left out is said"

    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(work / "output")
    tokenizer = AutoTokenizer.from_pretrained(work / "output")
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 3 + 7?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert model.generate(**prompt, max_new_tokens=4).shape[1] > prompt["input_ids"].shape[1]
    (job,) = work.rglob("job.json")
    metrics = [json.loads(line) for line in (job.parent / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in metrics] == [1, 2, 3, 4]


def test_devices_that_torch_does_not_see_are_one_line_before_any_stage(call, work, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", ",".join(map(str, range(1000))))
    code, _, err = call("train", "recipe.yaml")
    assert code == 2
    told = [line for line in err.strip().splitlines() if line != "checking the recipe with all that it names"]
    assert len(told) == 1
    assert "ASCEND_RT_VISIBLE_DEVICES: names 0,1,2," in err
    assert [path for path in work.glob("runs/*/*") if path.is_dir()] == [], "no stage was begun"
    assert not (work / "output").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("work")
def test_what_the_worker_finds_out_is_one_line_and_its_exit_code(call):
    too_fast = ["train.deepspeed=null", "train.optim=sgd", "train.learning_rate=1e30", "train.max_grad_norm=0"]
    code, _, err = call("train", "recipe.yaml", *(part for option in too_fast for part in ("--set", option)))
    assert code == 2
    assert "the loss is " in err or "the gradient is " in err
    assert "lower `learning_rate`" in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen3_lora_sft", "qwen3_full_sft"])
def test_llama_factorys_published_examples_train_with_model_and_data_replaced(cli, work, base, name):
    named = {"model_name_or_path": "Qwen/Qwen3-4B-Instruct-2507", "dataset": "identity,alpaca_en_demo"}
    (work / "theirs.yaml").write_text(yaml.safe_dump(named | PUBLISHED[name]))
    replaced = ["--set", f"model_name_or_path={base}", "--set", "dataset=DS_r1_answer", "--set", "max_steps=2"]
    done = cli("train", "theirs.yaml", *replaced, cwd=work, env={"NPROC_PER_NODE": "2"})
    assert done.returncode == 0, done.stderr
    assert (work / "saves" / "model.safetensors").exists()
    assert (work / "saves" / "adapter").exists() is ("lora" in name)
