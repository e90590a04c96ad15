"""LoRA: small matrices beside the frozen weights learn (Hu et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cotdistill.registry import kind
from cotdistill.stage import Progress, no_progress
from cotdistill.students import NewToken
from cotdistill.students._causal import Causal
from cotdistill.students._low_rank import LowRank, is_tied
from cotdistill.students._pretrained import check_model, check_package, deepspeed_dtype
from cotdistill.students._row_bounds import check_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@kind
@dataclass(frozen=True, kw_only=True)
class Lora(LowRank, Causal):
    """Low-rank matrices beside the frozen weights of a causal language model."""

    peft_task: ClassVar[str] = "CAUSAL_LM"

    def check(self) -> None:
        """Return if the model's folder is there, and peft is.

        Raises: UserError.
        """
        check_model(self)
        check_package("peft", "lora")

    def check_end_to_end(self) -> None:
        """Return unless the config in the model's folder says that rows must be padded. Raises: NeedsPadding."""
        check_folder(self.model)

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:  # noqa: ARG002
        """Return the model's name or folder. Raises: UserError."""
        self.check()
        return self.fetch()

    def load(self, base: str, /, *, new_tokens: Sequence[NewToken] = ()) -> "PreTrainedModel":
        """Return the model with matrices that add nothing yet; frozen weights are held in their own dtype.

        With new tokens the embeddings and the head learn whole.
        Raises: UserError where no layer has such a name.
        """
        import torch
        from transformers import AutoModelForCausalLM

        from cotdistill.students._new_tokens import add_rows

        # What learns whole learns in float32, and a model goes on in the dtype that its embeddings give.
        dtype = deepspeed_dtype() or (torch.float32 if self.additional_target or new_tokens else "auto")
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, **self.origin.arguments)
        add_rows(model, new_tokens)
        return self.beside(model, whole=frozenset(_vocabulary_layers(model) if new_tokens else ()))


def _vocabulary_layers(model: "PreTrainedModel") -> list[str]:
    """Return the names of the layers with a row per token: the embeddings, and the head where it has its own."""
    layers = [model.get_input_embeddings()]
    if not is_tied(model):
        layers.append(model.get_output_embeddings())
    return [name.rpartition(".")[2] for name, module in model.named_modules() if any(module is one for one in layers)]
