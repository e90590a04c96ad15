"""Keys of flat recipes, as openMind's four groups of arguments and LLaMA-Factory's name them, and what each means here.

Where a key is in none of the tables it is an option of the training by its own name.
"""

from cotdistill.training.trainer_keys import OURS
from cotdistill.yamlfile import Data, Loc

ADAPTER_KEYS = (
    *("lora_rank", "lora_alpha", "lora_dropout", "lora_target", "additional_target"),
    *("use_rslora", "use_dora"),
)
"""Keys of theirs that are options of `student: {kind: lora}` by the same name."""
RECIPE_KEYS: dict[str, Loc] = {
    "model_name_or_path": ("student", "model"),
    "model_id": ("student", "model"),
    "finetuning_type": ("student", "kind"),
    "trust_remote_code": ("student", "trust_remote_code"),
    "model_revision": ("student", "revision"),
    **{key: ("student", key) for key in ADAPTER_KEYS},
    **dict.fromkeys(("add_tokens", "add_special_tokens"), ("train", "new_special_tokens")),
    "lora_target_modules": ("student", "lora_target"),
    "seed": ("seed",),
    **dict.fromkeys(("dataset_dir", "custom_dataset_info"), ("data", "registry")),
    "use_gradient_checkpointing": ("train", "gradient_checkpointing"),
}
NEGATED: dict[str, Loc] = {"disable_gradient_checkpointing": ("train", "gradient_checkpointing")}
"""Switches of theirs that say the contrary of an option here."""

FIXED: dict[str, Data] = {"stage": "sft", "do_train": True}
"""Keys that can have one value here."""

WITHOUT_MEANING = frozenset(
    {
        *("preprocessing_num_workers", "preprocessing_batch_size", "overwrite_cache", "cache_dir"),
        *("low_cpu_mem_usage", "use_fast_tokenizer", "use_reentrant_gc", "model_group"),
        *("max_length", "reserved_label_len"),
        *("plot_loss", "print_param_status", "resize_vocab"),
    }
)
"""Keys of theirs that change nothing here: tokens are not cached by hand, rows are neither padded to one length nor
cut, losses are always drawn, and new tokens always have rows."""

_ENTRY = "it belongs into the set's entry in dataset_info.json"
_WHOLE = "weights learn as they are, not quantised"
OFF: dict[str, tuple[Data, str]] = {
    "adapter_name_or_path": (None, "a training begins from whole weights: name them, merged, as the model"),
    "default_system": (None, "the rows hold their system prompts"),
    "do_eval": (False, OURS["do_eval"]),
    "do_predict": (False, OURS["do_predict"]),
    "early_stopping_steps": (None, OURS["metric_for_best_model"]),
    "ignore_pad_token_for_loss": (True, "padding is never learned"),
    "load_best_model_at_end": (False, OURS["load_best_model_at_end"]),
    "load_in_4bit": (False, _WHOLE),
    "load_in_8bit": (False, _WHOLE),
    "loraplus_lr_ratio": (None, "an adapter's matrices share one learning rate"),
    "mix_strategy": ("concat", "write the sets with weights: `dataset: [{name: a, weight: 0.7}, …]`"),
    "pissa_init": (False, "adapters begin as LoRA's do"),
    "quantization_bit": (None, _WHOLE),
    "resume_from_checkpoint": (None, OURS["resume_from_checkpoint"]),
    "rope_scaling": (None, "it belongs into the model's config.json"),
    "save_only_model": (False, OURS["save_only_model"]),
    "split": ("train", _ENTRY),
    "streaming": (False, "all tokens are made before the training starts"),
    "subset_name": (None, _ENTRY),
    "token": (None, "a token is read from the environment: HF_TOKEN, MODELSCOPE_API_TOKEN"),
    "use_unsloth": (False, "the student is transformers' own model"),
}
"""Keys of theirs with the value, beside null, that asks for what is done here anyway, and why no other can be had."""
