"""What students share that start from a model's folder or hub name."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from cotdistill import adapters
from cotdistill.errors import RecipeFault, UserError
from cotdistill.registry import NOT_IN_KEY
from cotdistill.storage.hub_models import find_model, is_cached
from cotdistill.storage.hubs import OTHER_FRAMEWORKS, PACKAGES, HubName, address, is_reachable, snapshot
from cotdistill.storage.hubs import check_package as check_hub_package
from cotdistill.storage.model_folder import CONFIG, ModelFolder
from cotdistill.storage.origin import Origin

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A student that starts from a model of a folder or a hub.

    Options:
        model: hub name, or folder as `save_pretrained` writes it.
        hub: where a name is looked for: `huggingface` (or its mirror in HF_ENDPOINT), `modelscope`, `openmind`, or
            `auto`: Hugging Face, and ModelScope where that cannot be reached.
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

    model: Annotated[str, Field(min_length=1)]
    hub: Annotated[Literal["auto", HubName], NOT_IN_KEY] = "auto"
    revision: Annotated[str | None, Field(min_length=1)] = None
    trust_remote_code: Annotated[bool, NOT_IN_KEY] = False

    def fetch(self) -> str:
        """Return the model's name where transformers downloads it, else the folder that its hub's package fills.

        Raises: RecipeFault: the hub cannot be reached, or has no such model.
        """
        if is_path(self.model):
            return self.model
        hub = self._chosen_hub()
        if hub == "huggingface":
            return self.model
        try:
            without = OTHER_FRAMEWORKS
            return str(snapshot(hub, self.model, kind="model", revision=self.revision, without=without))
        except UserError as fault:
            raise RecipeFault(fault.message, "student.hub", fault.hint) from None
        except OSError as error:
            reason = str(error).strip().partition("\n")[0][:200]
            hint = f"see {address(hub)} for its name, or name a folder that holds it"
            raise RecipeFault(f"{self.model} cannot be read from {hub}: {reason}", "student.model", hint) from None

    def find(self) -> str:
        """Return where the model was found, the local cache or a hub that was asked once; empty for a folder.

        Raises: RecipeFault: the hub cannot be reached, or has no such model.
        """
        if is_path(self.model):
            return ""
        try:
            return find_model(self._chosen_hub(), self.model, revision=self.revision)
        except UserError as fault:
            raise RecipeFault(fault.message, "student.model", fault.hint) from None

    def _chosen_hub(self) -> HubName:
        """Return the hub to ask: `auto` is Hugging Face unless it is out of reach, and ModelScope is not."""
        if self.hub != "auto":
            return self.hub
        is_elsewhere = not is_reachable("huggingface") and not is_cached(self.model, self.revision)
        has_client = importlib.util.find_spec(PACKAGES["modelscope"][0]) is not None
        return "modelscope" if is_elsewhere and has_client and is_reachable("modelscope") else "huggingface"

    @property
    def origin(self) -> Origin:
        """What of the model's repository is read."""
        return Origin(self.revision, self.trust_remote_code)


def is_path(model: str) -> bool:
    """Return whether a model's name means a folder: a hub's is `name` or `owner/name`."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or Path(model).exists()


def check_model(student: Pretrained, *, is_pair: bool = False, has_weights: bool = True) -> None:
    """Return unless a model's name means a folder that is not there, or not whole, or holds a model of the other make.

    Nor may it have code that nothing pins, or be of a hub whose package is missing. `is_pair`: an encoder-decoder is
    wanted; `has_weights`: more than its tokenizer is. Raises: RecipeFault.
    """
    model, origin, folder = student.model, student.origin, ModelFolder(Path(student.model))
    _check_hub(student)
    if is_path(model) and not folder.path.is_dir():
        raise RecipeFault(f"no such folder: {model}", "student.model")
    for key, check in (("revision", origin.check_revision), ("trust_remote_code", origin.check_code)):
        try:
            check(model)
        except UserError as fault:
            raise RecipeFault(fault.message, f"student.{key}", fault.hint) from None
    if not folder.path.is_dir():
        return
    if adapters.is_adapter(folder.path) and not (folder.path / CONFIG).is_file():
        hint = "train with `merge: true`, or from the model that it belongs to"
        raise RecipeFault(f"{model} is an adapter, no model", "student.model", hint)
    try:
        if has_weights:
            _check_make(folder, is_pair=is_pair)
        folder.check_tokenizer()
        if has_weights:
            folder.check_weights()
    except UserError as fault:
        raise fault if isinstance(fault, RecipeFault) else RecipeFault.named_by("student.model", fault) from None


def _check_hub(student: Pretrained) -> None:
    """Raise RecipeFault where a model's hub cannot be asked."""
    if student.hub == "auto":
        return
    if is_path(student.model):
        raise RecipeFault(f"{student.model} is a folder, which is on no hub", "student.hub", "remove `hub`")
    try:
        check_hub_package(student.hub)
    except UserError as fault:
        raise RecipeFault(fault.message, "student.hub", fault.hint) from None


def _check_make(folder: ModelFolder, *, is_pair: bool) -> None:
    """Raise RecipeFault where a model is an encoder-decoder and none is wanted, or the other way."""
    if (folder.config.get("is_encoder_decoder") is True) is not is_pair:
        make, kinds = ("no encoder-decoder", "full` or `lora") if is_pair else ("an encoder-decoder", "seq2seq")
        raise RecipeFault(f"{folder.path} is {make}", "student.model", f"`kind: {kinds}` trains it")


def check_package(name: str, kind: str) -> None:
    """Return if a package that a kind needs is installed. Raises: RecipeFault."""
    if importlib.util.find_spec(name) is None:
        raise RecipeFault(f"`{kind}` needs {name}", "student.kind", "pip install 'cotdistill[train]'")


def deepspeed_dtype() -> "torch.dtype | None":
    """Return what DeepSpeed will hold the weights in; None where it does not say, or is not at work."""
    import torch
    from transformers.integrations.deepspeed import deepspeed_config

    config = deepspeed_config() or {}
    for section, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        if config.get(section, {}).get("enabled") is True:
            return dtype
    return None
