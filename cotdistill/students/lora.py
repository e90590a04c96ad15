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
    """Low-rank matrices beside the frozen weights of a causal language model.

    Options:
        model: hub name, or folder as `save_pretrained` writes it.
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
        hub: where a name is looked for: `huggingface` (or its mirror in HF_ENDPOINT), `modelscope`, `openmind`, or
            `auto`: Hugging Face, and ModelScope where that cannot be reached.
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

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
