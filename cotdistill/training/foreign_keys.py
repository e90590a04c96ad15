"""Keys of LLaMA-Factory and openMind that have no meaning in `train:`, and why: each is refused with its reason."""

import re

REASONS = {
    r"(use_)?(galore|apollo|badam)(_\w+)?": "choose the optimiser by `optim:`, as `optim: galore_adamw`",
    r"(use_)?swanlab(_\w+)?": "write `report_to: swanlab`; its settings come from its own environment variables",
    r"freeze_\w+|use_llama_pro": "all weights of the student learn, or a `lora` student's adapter",
    r"(module|oft)_\w+": "OFT is not a student kind here",
    r"(pref|dpo|kto|simpo|ppo|ref|reward)_\w+|ld_alpha": "a student learns from answers",
    r"(image|video|audio)_\w+|crop_to_patches|use_audio_in_video|media_dir": "the student reads text alone",
    r"export_\w+|infer_\w+|vllm_\w+|sglang_\w+|offload_folder|use_kv_cache": "it is no option of a training",
    r"quantization_\w+|double_quantization|fp8\w*": "weights learn as they are, not quantised",
    r"tool_format|train_on_prompt": "the answers alone are learned from, as the conversations hold them",
    r"mix_strategy|interleave_probs": "write shares: `dataset: [{name: a, weight: 0.8}, {name: b}]`",
    r"buffer_size|preprocessing_batch_size|tokenized_path|data_shared_file_system": (
        "tokens are made before the training and kept in the run's folder"
    ),
    r"pure_bf16": "weights are float32 copies where DeepSpeed or `bf16: true` computes in bfloat16",
    r"enable_liger_kernel|use_v1_kernels": "the loss is made without full logits here, what Liger is used for",
    r"use_unsloth_gc|shift_attn|mixture_of_depths|upcast_\w+|moe_aux_loss_coef": "a student is transformers' own model",
    r"(hf|ms|om)_hub_token": "a key comes from the environment, never from a recipe: set HF_TOKEN",
    r"group_by_length": "rows are shuffled by seed, and each step's are dealt over the devices by length",
    r"eval_on_each_dataset": "`eval_loss` is one number over all rows of `eval_dataset`",
    r"eval_num_beams|predict_with_generate|compute_accuracy": "a recipe's `evaluate:` section asks the student",
    r"ignore_pad_token_for_loss": "what fills a batch up is told by its length and never learned",
    r"use_dft_loss|use_asft_loss|use_eaft_loss": "the loss is chosen by `loss:`",
    r"include_effective_tokens_per_second|include_tokens_per_second": "metrics.jsonl says tokens_per_second",
    r"disable_shuffling": "write `train_sampling_strategy: sequential`",
    r"split_special_tokens": "special tokens written in a text are text already",
    r"train_from_scratch": "write `student: {kind: full, init: random, …}`",
}
"""Whole key, as a regular expression -> why it cannot be set, and what does what it asks for."""


def why_foreign(key: str) -> str | None:
    """Return why a key of theirs cannot be set; None where it is none of these."""
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, key)), None)
