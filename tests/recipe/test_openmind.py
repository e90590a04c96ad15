import json
import shutil

import pytest
import yaml

from cotdistill.errors import UserError
from cotdistill.recipe.openmind import OFF
from cotdistill.recipe.recipe import read_recipe
from tests.support.openmind import PUBLISHED, VERBATIM


@pytest.fixture
def recipe(tmp_path):
    def read(text):
        (tmp_path / "flat.yaml").write_text(text)
        return read_recipe(tmp_path / "flat.yaml")

    return read


def test_a_flat_recipe_is_the_train_stage_alone(recipe):
    loaded = recipe(VERBATIM)
    assert loaded.is_openmind
    assert [s.name for s in loaded.main.chain()] == ["train"]
    assert (loaded.main.student.kind, loaded.main.student.model) == ("full", "Qwen/Qwen2.5-7B-Instruct")
    train = loaded.main.train
    assert (train.dataset_names, train.cutoff_len) == (("DS_r1_answer",), 1024)
    assert (train.template, train.max_steps) == ("qwen", 125)
    assert (train.learning_rate, train.warmup_ratio, train.bf16, loaded.main.seed) == (1e-5, 0.1, True, 1234)
    assert train.overwrite_output_dir is True


@pytest.mark.parametrize("override", ["max_steps=4", "train.max_steps=4"])
def test_an_override_may_use_their_keys_or_ours(tmp_path, override):
    (tmp_path / "flat.yaml").write_text(VERBATIM)
    assert read_recipe(tmp_path / "flat.yaml", overrides=[override]).main.train.max_steps == 4


def test_a_key_without_meaning_here_is_named_and_ignored(recipe, caplog):
    loaded = recipe(VERBATIM + "overwrite_cache: true\npreprocessing_num_workers: 16\n")
    assert "overwrite_cache" not in loaded.main.train.model_dump()
    assert "flat.yaml:24: overwrite_cache: has no meaning here" in caplog.text


SWITCHED_OFF = """\
resume_from_checkpoint: null
do_eval: false
do_predict: false
eval_strategy: "no"
load_best_model_at_end: false
plot_loss: true
streaming: false
quantization_bit: null
use_unsloth: false
save_only_model: false
"""


def test_keys_that_ask_for_what_is_done_here_anyway_pass(recipe):
    assert recipe(VERBATIM + SWITCHED_OFF).main.train == recipe(VERBATIM).main.train


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("resume_from_checkpoint: out/checkpoint-20", "goes on from its newest checkpoint by itself"),
        ("do_eval: true", "`evaluate:` section measures"),
        ("do_predict: true", "`evaluate:` section measures"),
        ("load_best_model_at_end: true", "`evaluate:` section measures"),
        ("streaming: true", "before the training starts"),
        ("quantization_bit: 4", "not quantised"),
        ("save_only_model: true", "without the optimiser's state"),
        ("use_unsloth: true", "transformers' own model"),
    ],
)
def test_what_cannot_be_switched_on_is_refused_with_its_reason(recipe, line, reason):
    key = line.partition(":")[0]
    with pytest.raises(UserError, match=rf"flat\.yaml:24: {key}: cannot be set: .*{reason}"):
        recipe(VERBATIM + line + "\n")


def test_packing_and_attention_are_read_by_their_names(recipe):
    train = recipe(VERBATIM + "packing: false\nneat_packing: true\nflash_attn: fa2\n").main.train
    assert train.bin_tokens == train.cutoff_len
    assert train.flash_attn == "fa2"


def test_every_switch_is_tried_both_ways():
    assert {key for key in yaml.safe_load(SWITCHED_OFF) if key not in {"plot_loss", "eval_strategy"}} == set(OFF)


def test_their_max_samples_is_ours(recipe):
    assert recipe(VERBATIM + "max_samples: 100\n").main.train.max_samples == 100
    with pytest.raises(UserError, match=r"flat\.yaml:24: max_samples: should be greater than or equal to 1"):
        recipe(VERBATIM + "max_samples: 0\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cutoff_len", "cutof_len", r"flat\.yaml:9: cutof_len: unknown key \(did you mean `cutoff_len`\?\)"),
        ("stage: sft", "stage: dpo", r"flat\.yaml:3: stage: only `stage: sft` can be run"),
        ("finetuning_type: full", "finetuning_type: ful", r"flat\.yaml:5: finetuning_type: unknown kind \"ful\""),
        ("max_steps: 125", "max_steps: lots", r"flat\.yaml:22: max_steps: should be a valid integer"),
    ],
)
def test_a_mistake_is_named_as_the_user_wrote_it(recipe, old, new, message):
    with pytest.raises(UserError, match=message):
        recipe(VERBATIM.replace(old, new))


@pytest.mark.parametrize("name", PUBLISHED)
def test_their_published_examples_pass_with_model_and_data_replaced(tmp_path, call, base, repository, name):
    shutil.copytree(repository / "examples" / "deepspeed", tmp_path / "examples" / "deepspeed")
    named = {"model_name_or_path": "Qwen/Qwen3-4B-Instruct-2507", "dataset": "identity,alpaca_en_demo"}
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump(named | PUBLISHED[name]))
    row = {"messages": [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    entry = {"file_name": "rows.jsonl", "formatting": "openai"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"mine": entry}))
    replaced = ["--set", f"model_name_or_path={base}", "--set", "dataset=mine"]
    code, _, err = call("check", "theirs.yaml", *replaced)
    assert code == 0, err
    student = read_recipe(tmp_path / "theirs.yaml").main.student
    if "lora" in name:
        assert (student.kind, student.lora_rank, student.lora_target) == ("lora", 8, ("all",))
    else:
        assert student.kind == "full"


def test_their_names_of_an_adapter_are_ours(recipe):
    lora = VERBATIM.replace("finetuning_type: full", "finetuning_type: lora") + "lora_alpha: 32\nuse_dora: true\n"
    student = recipe(
        lora + "lora_target_modules: q_proj, v_proj\nadditional_target: embed_tokens,lm_head\n"
    ).main.student
    assert (student.lora_alpha, student.lora_target, student.use_dora) == (32, ("q_proj", "v_proj"), True)
    assert student.additional_target == ("embed_tokens", "lm_head")
    with pytest.raises(UserError, match=r"flat\.yaml:26: lora_rank: should be greater than or equal to 1"):
        recipe(lora + "lora_rank: 0\n")


def test_a_leave_to_run_code_holds_where_a_commit_pins_it_and_is_dropped_aloud_elsewhere(recipe, caplog):
    trusting = VERBATIM + "trust_remote_code: true\n"
    student = recipe(trusting + "model_revision: main\n").main.student
    assert (student.trust_remote_code, student.revision) == (False, None)
    assert "flat.yaml:24: trust_remote_code: remote code runs only at a pinned revision" in caplog.text
    student.build().check()
    caplog.clear()
    commit = "ab" * 20
    student = recipe(trusting + f"model_revision: {commit}\n").main.student
    assert (student.trust_remote_code, student.revision) == (True, commit)
    student.build().check()
    assert recipe(VERBATIM + "model_revision: v1.0\n").main.student.revision == "v1.0"
    assert not caplog.text


def test_code_in_a_folder_may_run(recipe, tmp_path):
    text = VERBATIM.replace("Qwen/Qwen2.5-7B-Instruct", str(tmp_path))
    assert recipe(text + "trust_remote_code: true\n").main.student.trust_remote_code


def test_their_dataset_dir_names_the_registry(recipe):
    loaded = recipe(VERBATIM + "dataset_dir: sets\n")
    assert loaded.main.data.registry == "sets"
    with pytest.raises(UserError, match=r"flat\.yaml:24: dataset_dir: should be a valid string"):
        recipe(VERBATIM + "dataset_dir: [sets]\n")
