"""What of a training can be known to go wrong before any stage starts: options, machine and base against each other."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cotdistill.errors import RecipeFault, UserError
from cotdistill.records import Completion, Problem, Trace
from cotdistill.storage.model_folder import ModelFolder
from cotdistill.students import NeedsPadding, Student
from cotdistill.styles import Style
from cotdistill.training import reporters
from cotdistill.training.deepspeed_config import disagreements
from cotdistill.training.launch.devices import CPU, find_devices
from cotdistill.training.optimisers import missing_package
from cotdistill.training.prepare.templates import OWN, TEMPLATES
from cotdistill.training.trainer_keys import EVALUATION_KEYS, RATE_BY_EVALUATION

if TYPE_CHECKING:
    from cotdistill.training.options import TrainOptions
    from cotdistill.training.reinforce.options import ReinforceOptions

    Computing: TypeAlias = TrainOptions | ReinforceOptions

NO_PARTS = "weigh a rationale, and the style finds none"
NO_PARTS_HINT = "leave `loss_weights` out, or name the style in which the rows are written: `convert: {style: …}`"


def faults(options: "TrainOptions", student: Student | None, style: Style | None) -> Iterator[UserError]:
    """Yield a fault for each; `student` and `style` are what the recipe chose, None where it has none."""
    asked = options.model_extra or {}
    yield from reporters.faults(asked.get("report_to"))
    yield from missing_package(asked.get("optim"))
    if options.template not in (None, OWN, *TEMPLATES):
        known = f"known: {', '.join(sorted((OWN, *TEMPLATES)))}"
        yield RecipeFault(f"unknown template `{options.template}`", "train.template", known)
    yield from _template_faults(options.template, student)
    if options.output_dir and Path.cwd().resolve().is_relative_to(Path(options.output_dir).resolve()):
        hint = "name a folder for the weights alone"
        yield RecipeFault(f"{options.output_dir} holds the run itself", "train.output_dir", hint)
    yield from _evaluation_faults(options)
    if options.bin_tokens and options.flash_attn in ("sdpa", "disabled"):
        yield RecipeFault("packed rows lie end to end", "train.flash_attn", "leave it out, or `packing`")
    yield from _layout_faults(options, student)
    if options.weighs_parts and not _tells_parts(style):
        yield RecipeFault(NO_PARTS, "train.loss_weights", NO_PARTS_HINT)
    if options.empty_thought and student is not None and student.is_pair:
        text = "an encoder-decoder reads no prompt that an empty thought could end"
        yield RecipeFault(text, "train.empty_thought", "leave it out")
    yield from deepspeed_faults(options, "train")
    yield from device_faults(options, "train")
    if (model := local_model(student)) is not None:
        yield from _length_faults(options.cutoff_len, model)


def _template_faults(template: str | None, student: Student | None) -> Iterator[UserError]:
    """Yield a fault where a template's control tokens are no tokens of the student, as far as files here tell."""
    named, model = TEMPLATES.get(template or ""), local_model(student)
    vocabulary = getattr(student, "vocabulary", None) if model is None else model.vocabulary
    if named is None or vocabulary is None:
        return
    if missing := [token for token in named.control if token not in vocabulary]:
        text = f"`{template}` needs {', '.join(missing)} in the student's vocabulary"
        yield RecipeFault(text, "train.template", "leave it out: the student's own template is used")


def _layout_faults(options: "TrainOptions", student: Student | None) -> Iterator[UserError]:
    """Yield a fault where rows must lie end to end, and the base's config says that they cannot."""
    if student is None or (not options.bin_tokens and options.flash_attn != "fa2"):
        return
    try:
        student.check_end_to_end()
    except NeedsPadding as error:
        if options.bin_tokens:
            yield RecipeFault(f"the student's rows cannot be packed: {error}", "train.packing", "leave it out")
        else:
            yield RecipeFault(f"the student needs padded rows: {error}", "train.flash_attn", "write `auto`")


def _evaluation_faults(options: "TrainOptions") -> Iterator[UserError]:
    """Yield a fault where rows are to be looked at on the way and there are none, or the other way round."""
    asked = {key: value for key, value in (options.model_extra or {}).items() if key in EVALUATION_KEYS}
    if options.val_size and options.eval_dataset:
        yield RecipeFault("there is an `eval_dataset` already", "train.val_size", "remove one of them")
    if options.is_evaluated and asked.get("eval_strategy") == "no":
        yield RecipeFault("`no` would never look at the rows that are held out", "train.eval_strategy", "remove it")
    if options.val_size > 1 and options.val_size % 1:
        yield RecipeFault(f"{options.val_size:g} is neither a share nor a number of rows", "train.val_size")
    if options.is_evaluated:
        return
    hint = "add `val_size: 0.05`, or an `eval_dataset`"
    for key in sorted(asked):
        yield RecipeFault("there are no rows to look at on the way", f"train.{key}", hint)
    if options.lr_scheduler_type in RATE_BY_EVALUATION:
        text = f"`{options.lr_scheduler_type}` goes by the loss of rows that are held out, and there are none"
        yield RecipeFault(text, "train.lr_scheduler_type", hint)


def local_model(student: object) -> ModelFolder | None:
    """Return the folder of a student's weights; None where they come from a hub or are made by its options."""
    model: str | None = getattr(student, "model", None)
    if model is None or getattr(student, "init", "pretrained") != "pretrained" or not Path(model).is_dir():
        return None
    return ModelFolder(Path(model))


def deepspeed_faults(options: "Computing", section: str) -> Iterator[UserError]:
    """Yield a fault where DeepSpeed's file cannot be read, or says otherwise than the options of a section."""
    try:
        config = options.read_deepspeed()
    except UserError as fault:
        yield fault
        return
    if config is not None:
        for text, hint in disagreements(config, options.trainer_arguments()):
            yield RecipeFault(f"{options.deepspeed}: {text}", f"{section}.deepspeed", hint)


def device_faults(options: "Computing", section: str) -> Iterator[UserError]:
    """Yield a fault where torch sees none of the devices named, or they cannot compute in what is asked."""
    if options.bf16 and options.fp16:
        yield RecipeFault("`bf16` and `fp16` cannot both be true", f"{section}.fp16", "bf16 where the device has it")
    if importlib.util.find_spec("torch") is None:
        return
    try:
        device = find_devices(os.environ).kind
    except UserError as fault:
        yield fault
        return
    if options.fp16 and device == CPU:
        yield RecipeFault("a CPU does not train in float16", f"{section}.fp16", "use `bf16: true`, or neither")
    if (options.model_extra or {}).get("tf32") and device != "cuda":
        yield RecipeFault(f"{device.upper()} devices have no TF32", f"{section}.tf32", "remove it")


def _length_faults(cutoff_len: int, model: ModelFolder) -> Iterator[UserError]:
    """Yield a fault where rows may be longer than the model can tell places apart."""
    try:
        limit = model.positions
    except UserError:
        return  # the student's own check says so
    if limit is not None and cutoff_len > limit:
        text = f"{cutoff_len:,} is above the {limit:,} positions of {model.path}"
        yield RecipeFault(text, "train.cutoff_len", f"`cutoff_len: {limit}` is the most")


def _tells_parts(style: Style | None) -> bool:
    """Return whether a style finds the rationale in what it has written."""
    if style is None:
        return False
    completion = Completion(key="", index=0, reasoning="Two and two are four.", text="It is 4.")
    written = style.answer(Trace(problem=Problem(id="", question="What is 2 + 2?", gold="4"), completion=completion))
    return bool(style.split(written).reasoning)
