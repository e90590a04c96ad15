"""What students share whose low-rank matrices beside frozen weights learn (LoRA, Hu et al. 2021)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from cotdistill import adapters
from cotdistill.errors import RecipeFault
from cotdistill.students._pretrained import Pretrained

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

ADAPTER = "adapter"
"""Folder beside merged weights that keeps what was merged into them."""


def _as_names(given: object) -> object:
    """Return what a recipe writes as a list of names: `a`, `a,b` as LLaMA-Factory does, or a list."""
    return [name.strip() for name in given.split(",")] if isinstance(given, str) else given


ALL = ("all",)
Names = Annotated[tuple[str, ...], BeforeValidator(_as_names, json_schema_input_type=str | list[str])]


@dataclass(frozen=True, kw_only=True)
class LowRank(Pretrained):
    """Matrices beside the layers of a model.

    Options:
        lora_rank: rank of the matrices; 8 as in LLaMA-Factory.
        lora_alpha: what they add counts lora_alpha / lora_rank times; default: twice the rank, as in LLaMA-Factory.
        lora_dropout: share of their inputs that is left out at random in training.
        lora_target: linear layers that get them, by the end of their names, as `q_proj,v_proj`; `all`: every one but
            the output head.
        additional_target: layers that learn whole and are kept with the adapter, as `embed_tokens,lm_head`; they are
            held in float32, and with them all weights. peft's name for it is modules_to_save.
        use_rslora: scale by the root of the rank instead, for high ranks (Kalajdzievski 2023).
        use_dora: learn the length of each weight vector apart from its direction (Liu et al. 2024); slower.
        merge: add what was learned to the weights at the end: the checkpoint is then an ordinary model, and the
            adapter stands in its folder `adapter/`; false: the checkpoint is the adapter alone.
    """

    peft_task: ClassVar[str]
    """What peft calls the model's task."""

    lora_rank: Annotated[int, Field(ge=1)] = 8
    lora_alpha: Annotated[int | None, Field(ge=1)] = None
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    lora_target: Annotated[Names, Field(min_length=1)] = ALL
    additional_target: Names = ()
    use_rslora: bool = False
    use_dora: bool = False
    merge: bool = True

    def beside(self, model: "PreTrainedModel", *, whole: frozenset[str]) -> "PreTrainedModel":
        """Return the model with matrices that add nothing yet; the layers of `whole` learn with all their weights.

        Raises: RecipeFault where no layer has a name that an option gives.
        """
        from peft import get_peft_model

        self._check_names(model)
        names = sorted({*self.additional_target, *whole})
        learning: PreTrainedModel = get_peft_model(model, self._config(names, is_tied=is_tied(model)))
        # Recomputed activations have a gradient only where their inputs have one, and the embeddings are frozen.
        learning.enable_input_require_grads()
        return learning

    def finish(self, folder: Path, /) -> None:
        """Merge the adapter in `folder` into its base, unless the adapter alone is wanted."""
        from transformers import GenerationConfig
        from transformers.integrations.deepspeed import unset_hf_deepspeed_config

        (folder / "README.md").unlink(missing_ok=True)  # peft's form, with nothing filled in
        if not self.merge:
            return
        unset_hf_deepspeed_config()  # under ZeRO-3 each process would load a part of the weights
        model = adapters.merged(folder, **self.origin.arguments)
        model.generation_config = GenerationConfig.from_pretrained(folder)
        (folder / ADAPTER).mkdir()
        for name in (adapters.CONFIG, adapters.WEIGHTS):
            (folder / name).rename(folder / ADAPTER / name)
        model.save_pretrained(folder)

    def _check_names(self, model: "PreTrainedModel") -> None:
        """Raise RecipeFault where no layer has a name that an option gives."""
        layers = {name.rpartition(".")[2] for name, layer in model.named_modules() if hasattr(layer, "weight")}
        whole = [name for name, _ in model.named_modules()]
        for key, names in (("lora_target", self.lora_target), ("additional_target", self.additional_target)):
            for name in names:
                if names != ALL and not any(f".{known}".endswith(f".{name}") for known in whole):
                    hint = f"its layers: {', '.join(sorted(layers))}"
                    raise RecipeFault(f"the model has no layer `{name}`", f"student.{key}", hint)

    def _config(self, whole: list[str], *, is_tied: bool) -> "LoraConfig":
        from peft import LoraConfig

        return LoraConfig(
            task_type=self.peft_task,
            revision=self.revision,
            r=self.lora_rank,
            lora_alpha=2 * self.lora_rank if self.lora_alpha is None else self.lora_alpha,
            lora_dropout=self.lora_dropout,
            target_modules="all-linear" if self.lora_target == ALL else list(self.lora_target),
            modules_to_save=whole or None,
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            ensure_weight_tying=is_tied and bool(whole),
        )


def is_tied(model: "PreTrainedModel") -> bool:
    """Return whether the head's weights are those of the embeddings."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is model.get_input_embeddings().weight
