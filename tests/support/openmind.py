"""Flat recipes as openMind's and LLaMA-Factory's users write them."""

VERBATIM = """\
model_name_or_path: Qwen/Qwen2.5-7B-Instruct

stage: sft
do_train: true
finetuning_type: full
deepspeed: examples/deepspeed/ds_z2_config.json

dataset: DS_r1_answer
cutoff_len: 1024
template: qwen

output_dir: out
logging_steps: 1
save_steps: 20000
overwrite_output_dir: true

per_device_train_batch_size: 1
learning_rate: 1.0e-5
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
max_steps: 125
seed: 1234
"""

OUTPUT = {
    "output_dir": "saves",
    "logging_steps": 10,
    "save_steps": 500,
    "plot_loss": True,
    "overwrite_output_dir": True,
}
SCHEDULE = {
    "num_train_epochs": 3.0,
    "lr_scheduler_type": "cosine",
    "warmup_ratio": 0.1,
    "per_device_train_batch_size": 1,
}
LATER = {"dataloader_num_workers": 4, "save_only_model": False, "report_to": "none", "resume_from_checkpoint": None}
COMMON = {
    **{"trust_remote_code": True, "stage": "sft", "do_train": True, "cutoff_len": 2048, "max_samples": 1000},
    **{"preprocessing_num_workers": 16, "bf16": True, "ddp_timeout": 180000000, **OUTPUT, **SCHEDULE},
}
FULL = {"finetuning_type": "full", "gradient_accumulation_steps": 2, "learning_rate": 1e-5}
FULL |= {"deepspeed": "examples/deepspeed/ds_z3_config.json"}
LORA = {"finetuning_type": "lora", "lora_rank": 8, "lora_target": "all"}
LORA |= {"gradient_accumulation_steps": 8, "learning_rate": 1e-4}
PUBLISHED = {
    "llama3_lora_sft": {**COMMON, **LORA, "template": "llama3", "overwrite_cache": True},
    "qwen3_lora_sft": {**COMMON, **LORA, "template": "qwen3_nothink", **LATER},
    "llama3_full_sft": {**COMMON, **FULL, "template": "llama3", "overwrite_cache": True},
    "qwen3_full_sft": {**COMMON, **FULL, "template": "qwen3_nothink", **LATER},
}
"""Keys and values of LLaMA-Factory's train_lora and train_full examples, read in November 2026."""
