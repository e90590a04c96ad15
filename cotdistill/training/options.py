"""The recipe's `train:` section: openMind's and LLaMA-Factory's names, and every key of transformers.

train: {dataset: DS_r1_answer, template: qwen, cutoff_len: 4096, learning_rate: 1.0e-5, bf16: true}
train: {dataset: [{name: DS_r1_answer}, {name: general_chat, weight: 0.2}], on_overlong: truncate_rationale}
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from cotdistill.errors import RecipeFault, raise_all
from cotdistill.registry import NOT_IN_KEY, KindOptions, NamesFile, OneOf
from cotdistill.stage import StageOptions
from cotdistill.students import Student
from cotdistill.training.checks import faults
from cotdistill.training.deepspeed_config import read_config
from cotdistill.training.forecast import forecast
from cotdistill.training.job import FlashAttn
from cotdistill.training.option_types import LossWeights, Names, NewTexts, Shares
from cotdistill.training.phase_student import student_in_phase
from cotdistill.training.trainer_keys import EVALUATION_KEYS, LEAVE_WEIGHTS, OURS, RATE_BY_EVALUATION, read_trainer_keys
from cotdistill.training.trainer_values import fits, known, named, scheduler
from cotdistill.training.trial import trainer_faults

NOT_TRAINER_KEYS = frozenset(
    {
        *("dataset", "template", "cutoff_len", "on_overlong", "max_dropped", "max_samples", "num_processes"),
        *("output_dir", "overwrite_output_dir", "warmup_ratio", "save_total_limit", "loss", "phases", "student"),
        *("val_size", "eval_dataset", "loss_weights", "mask_history", "empty_thought"),
        *("packing", "neat_packing", "flash_attn"),
        *("new_special_tokens", "resume"),
    }
)
"""Fields of TrainOptions that transformers does not get as they are."""

MODEL_PACKAGES = ("torch", "transformers", "accelerate")
"""What a model needs to learn or to answer on this machine."""

OF_THE_WHOLE = frozenset({"phases", "output_dir", "overwrite_output_dir", "num_processes"})
"""Options that a phase cannot change."""


def _only_what_phases_change(phases: "tuple[TrainOptions, ...]") -> "tuple[TrainOptions, ...]":
    """Refuse an option in a phase that holds for the training as a whole."""
    for number, phase in enumerate(phases, 1):
        if found := sorted(phase.model_fields_set & OF_THE_WHOLE):
            raise PydanticCustomError(
                "of_the_whole",
                "phase {number} sets {key}, which holds for the whole training: write it outside `phases`",
                {"number": number, "key": f"`{found[0]}`"},
            )
    return phases


def _is_file_name(name: str) -> bool:
    """Return whether a data set is named by its file, and not as a registry does."""
    return bool(Path(name).suffix)


class TrainOptions(StageOptions):
    """How the student learns; any other key of `transformers.TrainingArguments` may stand here too."""

    model_config = ConfigDict(extra="allow")
    install_extra = "train"
    __pydantic_extra__: dict[Annotated[str, AfterValidator(known)], Annotated[Any, BeforeValidator(fits)]]
    # Any: the types are transformers' own

    dataset: Shares = None
    """Name in dataset_info.json of what is trained on, or several as `a,b`, or a list of {name, weight} to mix in
    general data by share; default: what `convert` wrote. The name that `convert` gives its rows means those."""
    max_samples: int | None = Field(None, ge=1)
    """Rows taken of each set, the first ones; default: all."""
    val_size: float = Field(0.0, ge=0)
    """Rows held out of the training to look at their loss on the way (`eval_loss` in metrics.jsonl): a share below 1,
    or their number; drawn by seed, all samples of a problem on one side. `eval_strategy` and `eval_steps` say when;
    default: after each epoch."""
    eval_dataset: Annotated[Names, NamesFile(_is_file_name)] = ()
    """Names in dataset_info.json, or files, of other rows to look at instead: `a`, `a,b` or a list."""
    template: str | None = None
    """How messages become text: `qwen` and `qwen3_nothink` as LLaMA-Factory means them; default: the tokenizer's own
    template, which `qwen3`, `llama3`, `deepseek3` and `deepseekr1` mean too where it writes their control tokens."""
    cutoff_len: int = Field(4096, ge=2)
    """Longest row in tokens, prompt and answer; longer rows are left out, never cut: a cut answer has no end.
    4096 holds every R1 answer to GSM8K that was measured."""
    on_overlong: Literal["drop", "truncate_rationale", "raise"] = "drop"
    """What a row above `cutoff_len` does: left out and written to dropped.jsonl; shortened in the middle of its
    rationale, answer and end whole (what it was goes to shortened.jsonl); or it stops the training."""
    max_dropped: float = Field(0.05, ge=0, le=1)
    """Largest share of rows that may be left out; more stops before any training: `cutoff_len` must be wrong."""
    new_special_tokens: NewTexts = ()
    """Texts that become one token each, as `<think>,</think>` or a list; each starts as the mean of the tokens that it
    was before. They stay in the text of an answer. What is a token already is left as it is."""
    loss: Annotated[KindOptions, OneOf("losses")] = Field(
        default="sft",  # validated like a value from the file
        validate_default=True,
    )
    """What training makes small: `sft`, the negative log-likelihood of the answer, or another kind of `losses`."""
    loss_weights: LossWeights = LossWeights()
    """Weights of rationale and answer in the loss; where they differ, the style tells one from the other."""
    mask_history: bool = False
    """Whether the last answer of a conversation alone is learned; otherwise all that the student's template shows
    unchanged in the prompts after them, as LLaMA-Factory has it."""
    empty_thought: bool = False
    """Whether a last answer without a thought stands behind an empty one, `<think>`, a blank line and `</think>`, that
    is shown and not learned, as hybrid students such as Qwen3 are asked not to think. An empty thought that a row
    brings along is not learned either. Asked so by `evaluate: {prefill: "<think>\\n\\n</think>\\n\\n"}`."""
    num_train_epochs: float = Field(3.0, gt=0)
    """Passes over the rows; 3 as in LLaMA-Factory, and worth comparing in arms."""
    max_steps: int = Field(-1, ge=-1)
    """Optimiser steps; -1: as many as `num_train_epochs` gives."""
    learning_rate: float = Field(1e-5, gt=0)
    """Peak learning rate; 1e-5 is what 7B students are tuned with, tiny ones need 1e-3 and more."""
    lr_scheduler_type: Annotated[str, AfterValidator(scheduler)] = "cosine"
    """Course of the learning rate after warm-up, by transformers' names."""
    warmup_ratio: float = Field(0.0, ge=0, lt=1)
    """Share of the steps in which the learning rate rises; `warmup_steps`, where given, goes before it."""
    per_device_train_batch_size: int = Field(1, ge=1)
    """Rows per device and micro-step; 1 as long rows fill a device's memory. The rows of an optimiser step are dealt
    over devices and micro-steps by length; short ones may be more in a micro-step than this, never more tokens than
    so many of the longest row. A bin of packed rows is one row."""
    train_sampling_strategy: Literal["random", "sequential"] = "random"
    """Order of the rows: drawn from the seed in each epoch, or as they stand."""
    packing: bool = False
    """Whether rows are put together into bins of `cutoff_len` tokens, best fit over the whole set, so that every step
    has as many tokens; each row still sees itself alone. An optimiser step then learns from more rows."""
    neat_packing: bool = False
    """LLaMA-Factory's name for `packing` whose rows see themselves alone; here they always do."""
    flash_attn: FlashAttn = "auto"
    """How rows lie in a batch: `auto` end to end without padding or mask, padded where the model's attention does not
    allow it (encoder-decoders, sliding windows, capped attention, code of its own) or where many short rows are cheaper
    so on a CPU, which the log says; `fa2` end to end, refused where that cannot be; `sdpa` padded; `disabled` padded,
    with attention written out in torch. End to end the kernel is FlashAttention 2 on CUDA in half precision,
    npu_fusion_attention on NPU, torch's SDPA row by row elsewhere."""
    gradient_checkpointing: bool | Literal["auto"] = "auto"
    """Whether activations are computed again in the backward pass instead of being kept; `auto`: on an accelerator for
    models above 1 B parameters."""
    gradient_accumulation_steps: int = Field(1, ge=1)
    """Micro-steps per optimiser step; the loss is that of one large batch."""
    logging_steps: Annotated[int, NOT_IN_KEY] = Field(10, ge=1)
    """Steps between two rows of metrics.jsonl."""
    save_steps: Annotated[int, NOT_IN_KEY] = Field(500, ge=1)
    """Steps between two points that a killed training goes on from; each holds weights and optimiser state."""
    save_total_limit: Annotated[int | None, NOT_IN_KEY] = Field(None, ge=1)
    """Such points to keep after the training too; default: the newest two while it runs, none afterwards."""
    bf16: bool = False
    """Compute in bfloat16."""
    fp16: bool = False
    """Compute in float16, for devices without bfloat16."""
    deepspeed: Annotated[str | None, NamesFile()] = None
    """Path of a DeepSpeed configuration, as examples/deepspeed/ds_z2_config.json."""
    output_dir: str | None = None
    """Folder of the weights; default: `checkpoint/` in the stage's folder."""
    overwrite_output_dir: Annotated[bool, NOT_IN_KEY] = False
    """Whether an `output_dir` that is not empty is moved aside; otherwise it stops before any training."""
    resume: Literal["auto", "weights"] = "auto"
    """What a start goes on from: `auto`, the newest checkpoint of this training with all its state; `weights`, where
    there is none, the weights of the newest one of a training that differs, as in the number of processes: optimiser
    and learning rate begin anew at step 0."""
    num_processes: Annotated[int | None, NOT_IN_KEY] = Field(None, ge=1)
    """Training processes on this machine; default: one per visible device."""
    student: dict[str, Any] | None = None  # Any: options of a student kind
    """In a phase: what learns there where it is other than the student, as `{kind: lora, lora_rank: 16}`, from the
    weights of the phase before; an adapter is merged at the end."""
    phases: Annotated["tuple[TrainOptions, ...]", AfterValidator(_only_what_phases_change)] = ()
    """Trainings one after the other, each from the weights of the one before: a list of what each phase changes in
    this section, as [{dataset: broad}, {dataset: domain, num_train_epochs: 1}]. The optimiser starts anew."""

    @model_validator(mode="before")
    @classmethod
    def _name_trainer_options(cls, given: Any) -> Any:  # Any: whatever stands in the recipe
        if not isinstance(given, Mapping):
            return given
        is_evaluated = given.get("val_size") or given.get("eval_dataset")
        strategy = given.get("eval_strategy")
        if strategy is None or (strategy == "no" and not is_evaluated):  # what is off is switched off
            given = {key: value for key, value in given.items() if key != "eval_strategy"}
        return named(given, cls.model_fields)

    @property
    def is_evaluated(self) -> bool:
        """Whether the loss of rows that are not learned from is looked at on the way."""
        return bool(self.val_size or self.eval_dataset)

    @property
    def dataset_names(self) -> tuple[str, ...]:
        """Names of the sets; none where what `convert` wrote is meant."""
        return tuple(share.name for share in self.dataset or ())

    @property
    def weighs_parts(self) -> bool:
        """Whether a rationale's tokens count otherwise than an answer's."""
        return self.loss_weights.rationale != self.loss_weights.answer

    def in_phases(self) -> "tuple[TrainOptions, ...]":
        """Return the options of each phase; these alone where there are no phases."""
        return tuple(self._changed_by(phase) for phase in self.phases) or (self,)

    def student_of(self, student: Student | None) -> Student | None:
        """Return what learns in this phase: the one that it names, with the student's model, or the student itself.

        Raises: RecipeFault: it can be none of these.
        """
        named = student_in_phase(self.student, student) if student is not None else None
        if named is None:
            return student
        built: Student = named.build()
        if hasattr(student, "model") and getattr(student, "init", "pretrained") == "pretrained":
            built.check()
        return built

    @property
    def bin_tokens(self) -> int | None:
        """Tokens of the bins that rows are packed into; None: they are not packed."""
        return self.cutoff_len if self.packing or self.neat_packing else None

    def unused(self) -> frozenset[str]:
        """Return the style unless rationales are shortened or weighed: otherwise it plays no part in training."""
        needs_style = any(p.on_overlong == "truncate_rationale" or p.weighs_parts for p in self.in_phases())
        return frozenset() if needs_style else frozenset({"style"})

    def key_options(self, file: Callable[[Path], Any] = str) -> dict[str, Any]:  # Any: JSON values
        """Return the options that decide the weights."""
        is_by_evaluation = self.lr_scheduler_type in RATE_BY_EVALUATION
        left_out = LEAVE_WEIGHTS if is_by_evaluation else LEAVE_WEIGHTS | EVALUATION_KEYS | {"eval_dataset"}
        return {name: value for name, value in super().key_options(file).items() if name not in left_out}

    def packages(self) -> tuple[str, ...]:
        """Return what the training worker is made of."""
        needs_deepspeed = any(phase.deepspeed for phase in self.in_phases())
        return (*MODEL_PACKAGES, "deepspeed") if needs_deepspeed else MODEL_PACKAGES

    def check(self, roles: Mapping[str, Any], *, seed: int) -> None:  # noqa: ARG002
        """Raise a RecipeFault for all that can be known to go wrong with these options on this machine."""
        if self.student is not None:
            raise RecipeFault("is of a phase alone", "train.student", "write `student:` at the top of the recipe")
        style = roles.get("style")
        found = {
            str(fault): fault
            for phase in self.in_phases()
            for fault in faults(phase, phase.student_of(roles.get("student")), style)
        }
        if not found:
            found = {str(fault): fault for phase in self.in_phases() for fault in trainer_faults(phase)}
        raise_all(list(found.values()))

    def forecast(self, roles: Mapping[str, Any]) -> str | None:
        """Return how much memory each device takes, part by part; a line for each phase that differs."""
        student = roles.get("student")
        lines = (forecast(phase, phase.student_of(student)) for phase in self.in_phases())
        return "\n".join(dict.fromkeys(filter(None, lines))) or None

    def weights_arguments(self) -> dict[str, Any]:  # Any: values of transformers.TrainingArguments
        """Return those of the trainer's arguments that the weights depend on."""
        decisive = {*self.key_options(), "warmup_steps"}
        arguments = {name: value for name, value in self.trainer_arguments().items() if name in decisive}
        return arguments | {"packing": self.bin_tokens, "flash_attn": self.flash_attn}

    def read_deepspeed(self) -> dict[str, Any] | None:  # Any: JSON values
        """Return the DeepSpeed configuration; None where there is none. Raises: RecipeFault: no JSON object."""
        return read_config(self.deepspeed, "train.deepspeed")

    def _changed_by(self, phase: "TrainOptions") -> "TrainOptions":
        given = {name: getattr(phase, name) for name in phase.model_fields_set}
        return self.model_copy(update={"phases": (), **given})

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return every key that may stand in the section, sorted."""
        return known_train_keys()

    def trainer_arguments(self) -> dict[str, Any]:  # Any: values of transformers.TrainingArguments
        """Return the keyword arguments for `transformers.TrainingArguments`, by the names of its version 5."""
        arguments: dict[str, Any] = {"warmup_steps": self.warmup_ratio}  # below 1 it is a share there
        if self.is_evaluated:
            arguments["eval_strategy"] = "steps" if "eval_steps" in (self.model_extra or {}) else "epoch"
        return arguments | self.model_dump(mode="json", exclude=set(NOT_TRAINER_KEYS))


def known_train_keys() -> list[str]:
    """Return every key that may stand in `train:`, sorted."""
    return sorted({*TrainOptions.model_fields, *read_trainer_keys()} - set(OURS))
