"""A flat recipe as openMind's users write it."""

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
